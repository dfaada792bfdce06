import type { AttentionWeights, FoldedMheWeights, Projection } from './weights.js';

/** The same attention with the scale of the scores inside the queries, so that the scores need no step for it. */
export function absorbScale<Weights extends AttentionWeights | FoldedMheWeights>(weights: Weights): Weights {
  const times = (data: Float64Array) => data.map((x) => x * weights.scale);
  const query: Projection = {
    weight: { ...weights.query.weight, data: times(weights.query.weight.data) },
    bias: weights.query.bias && times(weights.query.bias),
  };
  // A gain multiplies the scaled query; a bias comes after it.
  const queryBias = 'queryBias' in weights ? weights.queryBias : null;
  return {
    ...weights,
    query,
    ...(queryBias && { queryBias: { ...queryBias, data: times(queryBias.data) } }),
    scale: 1,
  };
}
