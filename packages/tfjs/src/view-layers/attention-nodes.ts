import type { AttentionWeights, Matrix, Projection } from '@mhe/core';
import type { LayerCall } from '../layers-model/layer-calls.js';
import type { ViewWriter } from './view-writer.js';

/** The tensors that a use of an attention layer reads and makes, by name. */
export interface AttentionEnds {
  readonly query: string;
  readonly value: string;
  readonly key: string;
  /** What hides keys: `none`, one mask for all heads, or one for each. */
  readonly mask: 'none' | 'all heads' | 'per head';
  readonly output: string;
  /** Name of the probabilities where the use returns them. */
  readonly scores: string | null;
}

/** Writes what a use of an attention layer computes, every head with a projection of its own. */
export function writeAttention(writer: ViewWriter, weights: AttentionWeights, ends: AttentionEnds): void {
  const { numHeads, headDim, valueHeadDim, scale } = weights;
  const heads = (stream: string, { weight, bias }: Projection, size: number) => {
    const kernel = writer.weight([weight.rows, numHeads, size], () => weight.data);
    const projected = writer.node({ kind: 'einsum', equation: 'blc,chd->bhld' }, [stream, kernel]);
    if (!bias) return projected;
    return writer.node({ kind: 'binary', name: 'add' }, [projected, writer.weight([numHeads, 1, size], () => bias)]);
  };
  const query = heads(ends.query, weights.query, headDim);
  const key = heads(ends.key, weights.key, headDim);
  const value = heads(ends.value, weights.value, valueHeadDim);
  let scores = writer.node({ kind: 'matmul', transposeA: false, transposeB: true }, [query, key]);
  scores = writer.node({ kind: 'binary', name: 'mul' }, [scores, writer.number(scale)]);
  if (ends.mask !== 'none') {
    const dims = [1, ends.mask === 'per head' ? numHeads : 1, 1, 1];
    const mask = writer.node({ kind: 'opaque', name: 'mask', shapes: () => [dims] }, [ends.query]);
    scores = writer.node({ kind: 'binary', name: 'add' }, [scores, mask]);
  }
  const probabilities = writer.node({ kind: 'softmax', axis: -1, flattened: false }, [scores]);
  const context = writer.node({ kind: 'matmul', transposeA: false, transposeB: false }, [probabilities, value]);
  const output = project(writer, context, weights.output, [numHeads, valueHeadDim]);
  writer.name(output, ends.output);
  if (ends.scores) writer.name(writer.node({ kind: 'identity' }, [probabilities]), ends.scores);
}

function project(writer: ViewWriter, context: string, { weight, bias }: Projection, rows: readonly number[]): string {
  const kernel = writer.weight([...rows, weight.cols], () => (weight as Matrix).data);
  const output = writer.node({ kind: 'einsum', equation: 'bhld,hdo->blo' }, [context, kernel]);
  return bias
    ? writer.node({ kind: 'binary', name: 'add' }, [output, writer.weight([weight.cols], () => bias)])
    : output;
}

/** Why a use of an attention layer has no place in the view, as a clause; `null` where it has. */
export function attentionObstacle({ layer, inputs }: LayerCall): string | null {
  const { attentionAxes, outputShape } = layer.getConfig();
  if (inputs.some((input, i) => i < 3 && input.rank !== 3))
    return 'its inputs have more axes than [batch, length, features]';
  if (attentionAxes != null && [attentionAxes].flat().some((axis) => axis !== 1)) return 'it attends over several axes';
  return Array.isArray(outputShape) && outputShape.length > 1 ? 'its output has several axes of features' : null;
}
