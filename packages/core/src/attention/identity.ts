import { checkWeights } from './check-weights.js';
import { pickBlocks } from './expand.js';
import { headsByGroup } from './head-groups.js';
import type { AttentionWeights, FoldedMheWeights, Projection } from './weights.js';

/**
 * Multi-head attention as MHE with neutral embeddings and a group for every head, or for every head of keys and values
 * where the model has fewer of them: the same arrays under another name. A model swapped to it must compute what it did,
 * which proves that its attention was understood.
 *
 * @throws RangeError when an array of the weights has another size than they say.
 */
export function identityMhe(weights: AttentionWeights): FoldedMheWeights {
  checkWeights(weights);
  const { keyValueGroups, rotary: _, normalised: __, ...own } = weights;
  const heads = Array.from({ length: weights.numHeads }, (_, head) => head);
  const neutral = { ...own, queryGain: null, queryBias: null };
  if (!keyValueGroups) return { ...neutral, groups: { queryKey: heads, value: heads } };
  const { queryKey, value } = keyValueGroups;
  return {
    ...neutral,
    groups: { query: heads, queryKey, value },
    key: firstOfEach(weights.key, queryKey, weights.headDim),
    value: firstOfEach(weights.value, value, weights.valueHeadDim),
  };
}

/** One block of columns for each group: that of its first head. */
export function firstOfEach(projection: Projection, groups: readonly number[], size: number): Projection {
  const first = headsByGroup(groups).map(([head]) => head as number);
  return pickBlocks(projection, first, size);
}
