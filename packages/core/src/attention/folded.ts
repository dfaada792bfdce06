import { attendHeads } from './attend-heads.js';
import { queryGroups } from './head-groups.js';
import { type HeadSteps, stepped } from './head-steps.js';
import { applyPerHead, spreadGroups } from './heads.js';
import type { AttentionInputs } from './inputs.js';
import { mergeHeads } from './merge-heads.js';
import type { TensorPort } from './port.js';
import { projectQueryKeyValue } from './query-key-value.js';
import type { ScoreRules } from './score-rules.js';
import type { FoldedMheWeights } from './weights.js';

/**
 * The heads of folded MHE: queries with a gain and a bias per head over keys and values shared within a group, which is
 * multi-query attention (Shazeer 2019) at one group. Serves both embeddings; keys and values are computed, and could be
 * cached, once a group.
 *
 * @param rules - what happens to the scores; the scale is theirs, `weights.scale` is not read.
 * @param steps - what happens to the heads before the products. Default: nothing.
 * @returns `[batch, numHeads, queries, valueHeadDim]`.
 * @throws RangeError when an array of the weights has another size than they say.
 */
export function attendFoldedMhe<T>(
  port: TensorPort<T>,
  weights: FoldedMheWeights,
  inputs: AttentionInputs<T>,
  rules: ScoreRules<T>,
  steps: HeadSteps<T> = {},
): T {
  const { numHeads, groups, queryGain, queryBias } = weights;
  const shared = projectQueryKeyValue(port, weights, inputs);
  let query = spreadGroups(port, shared.query, queryGroups(groups));
  if (queryGain) query = applyPerHead(port, query, 'mul', queryGain);
  if (queryBias) query = applyPerHead(port, query, 'add', queryBias);
  query = stepped(query, steps.query);
  const key = spreadGroups(port, stepped(shared.key, steps.key), groups.queryKey);
  const value = spreadGroups(port, stepped(shared.value, steps.value), groups.value);
  steps.spread?.('key', key);
  steps.spread?.('value', value);
  return attendHeads(port, { query, key, value }, numHeads, rules);
}

/** The whole block: {@link attendFoldedMhe}, then the output projection. Returns `[batch, queries, outputDim]`. */
export function foldedMhe<T>(
  port: TensorPort<T>,
  weights: FoldedMheWeights,
  inputs: AttentionInputs<T>,
  rules: ScoreRules<T>,
): T {
  return mergeHeads(port, weights, attendFoldedMhe(port, weights, inputs, rules));
}
