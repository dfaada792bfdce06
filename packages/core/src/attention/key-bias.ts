import type { FoldedMheWeights, Projection } from './weights.js';

/**
 * What a head's query bias adds to the scores of each key, as a projection of the key stream: column `i` is
 * `scale * Wk_g b` for head `order[i]`, its group `g` and its bias `b`. The part of the key bias is left out: it is the
 * same for all keys, so softmax cancels it.
 */
export function keyBiasProjection(weights: FoldedMheWeights, order: readonly number[]): Projection {
  const { headDim, scale, groups, queryBias } = weights;
  const { rows, cols: keyCols, data: key } = weights.key.weight;
  const data = new Float64Array(rows * order.length);
  if (queryBias === null) return { weight: { rows, cols: order.length, data }, bias: null };
  order.forEach((head, column) => {
    const bias = queryBias.data.subarray(head * headDim, (head + 1) * headDim);
    const start = (groups.queryKey[head] as number) * headDim;
    for (let row = 0; row < rows; row++) {
      const keyRow = key.subarray(row * keyCols + start, row * keyCols + start + headDim);
      data[row * order.length + column] = scale * keyRow.reduce((sum, x, i) => sum + x * (bias[i] as number), 0);
    }
  });
  return { weight: { rows, cols: order.length, data }, bias: null };
}
