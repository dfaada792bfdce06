import type { AttentionBlock, BlockProjection, Stream } from '@mhe/core';
import { isRegular } from '@mhe/core';
import type { NodeBuilder } from '../emit/node-builder.js';
import { onnxPort } from '../emit/port.js';
import { streamValue } from '../emit/stream-value.js';

/** Names of the values that hold the moments of one block's inputs; a moment that can't be had is missing. */
export interface MomentNames {
  readonly query: string;
  readonly key?: string;
  readonly attended?: string;
}

/** Probabilities below this many of one key from all queries and heads: it is hidden by the mask. */
const HIDDEN = 1e-8;

/**
 * Emits nodes that compute the moments of a block's inputs (see core's `FitMoments`), so that the runtime does the
 * heavy products: all are sums over the positions of one run, in float32.
 */
export function momentNodes(builder: NodeBuilder, block: AttentionBlock): MomentNames {
  const emit = new MomentEmitter(builder);
  const query = emit.secondMoment(emit.appendOne(emit.rows(block.query), 2));
  const probabilities = emit.probabilities(block);
  if (!isRegular(block.key.stream) || !isRegular(block.value.stream) || !probabilities) return { query };
  const seen = emit.seenKeys(probabilities);
  return {
    query,
    key: emit.covarianceWithin(emit.float(emit.regular(block.key.stream)), seen),
    attended: emit.attended(emit.float(emit.regular(block.value.stream)), probabilities),
  };
}

/**
 * Emits the moments of the heads' outputs, in the order of the output projection's features, against the original
 * block's output.
 *
 * @param original - name of the value that holds the original's output.
 */
export function outputMomentNodes(
  builder: NodeBuilder,
  block: AttentionBlock,
  original: string,
): { readonly heads: string; readonly cross: string } {
  const emit = new MomentEmitter(builder);
  const { operand, outputAxes } = block.output;
  const count = (axes: readonly number[], total: number) => (axes.length > 0 ? total : 1);
  const heads = emit.matrix(
    operand.value,
    operand.rowAxes,
    operand.featureAxes,
    count(operand.featureAxes, block.output.features.length),
  );
  const target = emit.matrix(original, outputAxes.rowAxes, outputAxes.columnAxes, block.output.outputDim);
  const extended = emit.appendOne(heads, 2);
  return { heads: emit.secondMoment(extended), cross: emit.product(extended, target) };
}

class MomentEmitter {
  private readonly port;

  constructor(private readonly builder: NodeBuilder) {
    this.port = onnxPort(builder);
  }

  float(value: string): string {
    return this.builder.target.dtype === 'float32' ? value : this.builder.node('Cast', [value], { to: 1 });
  }

  regular(stream: Stream): string {
    return streamValue(this.port, stream);
  }

  /** A projection's input as `[rows, channel]`, in whatever order of the rows. */
  rows({ traced }: BlockProjection): string {
    const { stream, channelAxis, rowAxes, inputDim } = traced.projection;
    return this.matrix(stream, rowAxes, [channelAxis], inputDim);
  }

  /** A value as `[rows, columns]`, its axes split as told. */
  matrix(value: string, rowAxes: readonly number[], columnAxes: readonly number[], columns: number): string {
    const order = [...rowAxes, ...columnAxes];
    const ordered = order.every((axis, i) => axis === i) ? value : this.port.transpose(value, order);
    return this.float(this.port.reshape(ordered, [-1, columns]));
  }

  /** A feature that is always 1, at the end of the last axis. */
  appendOne(value: string, rank: number): string {
    const { opset } = this.builder.target;
    const pads = [...new Array<number>(rank * 2 - 1).fill(0), 1];
    if (opset < 11) {
      const one = this.port.exp(this.port.mul(this.firstFeature(value, rank), this.float32(0)));
      return this.port.concat([value, one], rank - 1);
    }
    return this.builder.node('Pad', [value, this.builder.integers(pads, 'pads'), this.float32(1)]);
  }

  secondMoment(rows: string): string {
    return this.product(rows, rows);
  }

  /** `a^T b` of `[rows, columns]` each. */
  product(a: string, b: string): string {
    return this.port.matMul(this.port.transpose(a, [1, 0]), b);
  }

  /** The weights of the values as `[batch, head, query, key]`, in float32. */
  probabilities(block: AttentionBlock): string | undefined {
    const { axes, chain, numHeads, headOfBatch } = block;
    if (axes) {
      const inOrder = axes.probabilities.every((axis, i) => axis === i);
      return this.float(inOrder ? chain.probabilities : this.port.transpose(chain.probabilities, axes.probabilities));
    }
    const batch = headOfBatch.length / numHeads;
    const batchFirst = headOfBatch.every((head, i) => head === i % numHeads);
    const headFirst = headOfBatch.every((head, i) => head === Math.floor(i / batch));
    if (!batchFirst && !headFirst) return undefined;
    // [batch * heads, query, key]: only the graph itself knows its last two sizes.
    const shape = this.builder.node('Shape', [chain.probabilities]);
    const tail = this.port.gather(shape, [1, 2], 0);
    const lead = this.builder.integers(batchFirst ? [-1, numHeads] : [numHeads, -1]);
    const apart = this.builder.node('Reshape', [chain.probabilities, this.port.concat([lead, tail], 0)]);
    return this.float(batchFirst ? apart : this.port.transpose(apart, [1, 0, 2, 3]));
  }

  /** 1 for a key that some query of some head sees, 0 for a hidden one: `[batch, keys, 1]`. */
  seenKeys(probabilities: string): string {
    const most = this.port.max(probabilities, [1, 2]);
    const hidden = this.port.exp(this.port.mul(most, this.float32(-1 / HIDDEN)));
    return this.port.reshape(this.port.sub(this.float32(1), hidden), [0, -1, 1]);
  }

  /** Sum over sequences of the covariance of `[batch, keys, channel]` within each. */
  covarianceWithin(stream: string, seen: string): string {
    const weighted = this.port.mul(stream, seen);
    const row = this.port.transpose(seen, [0, 2, 1]);
    const mean = this.port.div(this.port.matMul(row, weighted), this.port.matMul(row, seen));
    const centred = this.port.mul(this.port.sub(stream, mean), seen);
    // [batch, channel, keys] x [batch, keys, channel], then summed over the batch.
    const each = this.port.matMul(this.port.transpose(centred, [0, 2, 1]), centred);
    const { opset } = this.builder.target;
    return opset < 13
      ? this.builder.node('ReduceSum', [each], { axes: [0], keepdims: 0 })
      : this.builder.node('ReduceSum', [each, this.builder.integers([0], 'axes')], { keepdims: 0 });
  }

  /** Second moment of what each head's attention makes of `[batch, keys, channel]`, a 1 appended before it mixes. */
  attended(stream: string, probabilities: string): string {
    const extended = this.port.unsqueeze(this.appendOne(stream, 3), [1]);
    const mixed = this.port.matMul(probabilities, extended);
    const shape = this.builder.node('Shape', [mixed]);
    const lead = this.builder.integers([-1]);
    const rows = this.builder.node('Reshape', [mixed, this.port.concat([lead, this.port.gather(shape, [3], 0)], 0)]);
    return this.secondMoment(rows);
  }

  private firstFeature(value: string, rank: number): string {
    return this.port.gather(value, [0], rank - 1);
  }

  private float32(value: number): string {
    return this.builder.float32(value);
  }
}
