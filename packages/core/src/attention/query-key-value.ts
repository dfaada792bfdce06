import type { HeadTensors } from './attend-heads.js';
import { checkWeights } from './check-weights.js';
import { groupCount, queryGroups } from './head-groups.js';
import type { AttentionInputs } from './inputs.js';
import type { TensorPort } from './port.js';
import { projectHeads } from './project.js';
import type { AttentionWeights, FoldedMheWeights, MheWeights } from './weights.js';

/** The three projections with an axis of heads (MHA) or of groups (MHE). */
export function projectQueryKeyValue<T>(
  port: TensorPort<T>,
  weights: AttentionWeights | MheWeights | FoldedMheWeights,
  inputs: AttentionInputs<T>,
): HeadTensors<T> {
  checkWeights(weights);
  const { numHeads, headDim, valueHeadDim } = weights;
  const queryCount = 'groups' in weights ? groupCount(queryGroups(weights.groups)) : numHeads;
  const keyCount = 'groups' in weights ? groupCount(weights.groups.queryKey) : numHeads;
  const valueCount = 'groups' in weights ? groupCount(weights.groups.value) : numHeads;
  const [query, key, value] = projectHeads(port, [
    { stream: inputs.query, projection: weights.query, count: queryCount, size: headDim },
    { stream: inputs.key, projection: weights.key, count: keyCount, size: headDim },
    { stream: inputs.value, projection: weights.value, count: valueCount, size: valueHeadDim },
  ]);
  return { query, key, value };
}
