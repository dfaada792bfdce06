import type { AttentionWeights, Matrix } from '@mhe/core';

/** Columns read as if features came before heads: `feature * numHeads + head` for `head * size + feature`. */
function misread({ rows, cols, data }: Matrix, numHeads: number): Matrix {
  const size = cols / numHeads;
  const from = (col: number) => (col % size) * numHeads + Math.floor(col / size);
  return { rows, cols, data: data.map((_, i) => data[i - (i % cols) + from(i % cols)] as number) };
}

/** The weights that a finder would read which took features for heads. */
export function misreadWeights(weights: AttentionWeights): AttentionWeights {
  const columns = (part: 'query' | 'key' | 'value') => {
    const { weight, bias } = weights[part];
    const row = (data: Float64Array) => misread({ rows: 1, cols: data.length, data }, weights.numHeads).data;
    return { weight: misread(weight, weights.numHeads), bias: bias && row(bias) };
  };
  return { ...weights, query: columns('query'), key: columns('key'), value: columns('value') };
}
