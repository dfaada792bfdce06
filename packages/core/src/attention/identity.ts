import { checkWeights } from './check-weights.js';
import type { AttentionWeights, FoldedMheWeights } from './weights.js';

/**
 * Multi-head attention as MHE with a group for every head and neutral embeddings: the same arrays under another name. A
 * model swapped to it must compute what it did, which proves that its attention was understood.
 *
 * @throws RangeError when an array of the weights has another size than they say.
 */
export function identityMhe(weights: AttentionWeights): FoldedMheWeights {
  checkWeights(weights);
  const heads = Array.from({ length: weights.numHeads }, (_, head) => head);
  return { ...weights, groups: { queryKey: heads, value: heads }, queryGain: null, queryBias: null };
}
