import type { AttentionBlock, BlockProjection, Stream } from '@mhe/core';
import { isRegular } from '@mhe/core';
import type { NodeBuilder } from '../emit/node-builder.js';
import { onnxPort } from '../emit/port.js';
import { streamValue } from '../emit/stream-value.js';

/** Names of the values whose rows make the moments of one block's inputs; what can't be had is missing. */
export interface MomentNames {
  readonly query: string;
  readonly key?: string;
  readonly keyInput?: string;
  readonly attended?: string;
}

/** Probabilities below this many of one key from all queries and heads: it is hidden by the mask. */
const HIDDEN = 1e-8;

/**
 * Emits nodes that compute the rows `[rows, columns]`, in float32, whose second moments are those of a block's inputs
 * (see core's `FitMoments`).
 */
export function momentNodes(builder: NodeBuilder, block: AttentionBlock): MomentNames {
  const emit = new MomentEmitter(builder);
  const query = emit.appendOne(emit.rows(block.query), 2);
  const keyInput = block.key.rotation ? { keyInput: emit.appendOne(emit.rows(block.key), 2) } : {};
  const probabilities = emit.probabilities(block);
  if (!isRegular(block.key.stream) || !isRegular(block.value.stream) || !probabilities) return { query, ...keyInput };
  // Under a rotation a bias of the keys counts, so that the fit asks for the input with its mean in it.
  const key = block.key.rotation
    ? keyInput
    : { key: emit.centredWithin(emit.float(emit.regular(block.key.stream)), emit.seenKeys(probabilities)) };
  return {
    query,
    ...key,
    attended: emit.attended(emit.float(emit.regular(block.value.stream)), probabilities),
  };
}

/**
 * Emits the rows `[rows, columns]`, in float32, of the heads' outputs, in the order of the output projection's features
 * with a 1 after them, and of the original block's output.
 *
 * @param original - name of the value that holds the original's output.
 */
export function outputMomentNodes(
  builder: NodeBuilder,
  block: AttentionBlock,
  original: string,
): { readonly heads: string; readonly targets: string } {
  const emit = new MomentEmitter(builder);
  const { operand, outputAxes } = block.output;
  const count = (axes: readonly number[], total: number) => (axes.length > 0 ? total : 1);
  const heads = emit.matrix(
    operand.value,
    operand.rowAxes,
    operand.featureAxes,
    count(operand.featureAxes, block.output.features.length),
  );
  const targets = emit.matrix(original, outputAxes.rowAxes, outputAxes.columnAxes, block.output.outputDim);
  return { heads: emit.appendOne(heads, 2), targets };
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

  /** The weights of the values as `[batch, head, query, key]`, in float32. */
  probabilities(block: AttentionBlock): string | undefined {
    const { axes, chain, numHeads, headOfBatch } = block;
    if (axes && axes.merged === null) {
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

  /** `[batch, keys, channel]` less the mean of the keys that are seen, zero where hidden: `[batch * keys, channel]`. */
  centredWithin(stream: string, seen: string): string {
    const weighted = this.port.mul(stream, seen);
    const row = this.port.transpose(seen, [0, 2, 1]);
    // A sequence whose keys are all hidden has no mean.
    const count = this.builder.node('Max', [this.port.matMul(row, seen), this.float32(1)]);
    const mean = this.port.div(this.port.matMul(row, weighted), count);
    return this.flattened(this.port.mul(this.port.sub(stream, mean), seen), 2);
  }

  /** What each head's attention makes of `[batch, keys, channel]`, a 1 appended before it mixes, as rows. */
  attended(stream: string, probabilities: string): string {
    const extended = this.port.unsqueeze(this.appendOne(stream, 3), [1]);
    return this.flattened(this.port.matMul(probabilities, extended), 3);
  }

  /** `[..., columns]` as `[rows, columns]`; only the graph itself knows its sizes. */
  private flattened(value: string, lastAxis: number): string {
    const columns = this.port.gather(this.builder.node('Shape', [value]), [lastAxis], 0);
    return this.builder.node('Reshape', [value, this.port.concat([this.builder.integers([-1]), columns], 0)]);
  }

  private firstFeature(value: string, rank: number): string {
    return this.port.gather(value, [0], rank - 1);
  }

  private float32(value: number): string {
    return this.builder.float32(value);
  }
}
