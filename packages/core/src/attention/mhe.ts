import type { Matrix } from '../float64/matrix.js';
import { attendHeads } from './attend-heads.js';
import { queryGroups } from './head-groups.js';
import { type HeadSteps, stepped } from './head-steps.js';
import { applyPerHead, type Heads, spreadGroups } from './heads.js';
import type { AttentionInputs } from './inputs.js';
import { mergeHeads } from './merge-heads.js';
import type { TensorPort } from './port.js';
import { projectQueryKeyValue } from './query-key-value.js';
import type { ScoreRules } from './score-rules.js';
import type { MheWeights } from './weights.js';

/**
 * The heads of multi-head-embedding attention as the paper writes it (Xue & Aletras 2023, section 3), in groups: every
 * head's queries, keys and values are those of its groups, times `1 + embedding` (MHE-MUL) or plus it (MHE-ADD).
 * `foldMhe` gives weights that compute the same faster.
 *
 * @param rules - what happens to the scores; the scale is theirs, `weights.scale` is not read.
 * @param steps - what happens to the heads before the products; that of the keys comes before their embeddings, which
 *   then have to be zero or commute with it. Default: nothing.
 * @returns `[batch, numHeads, queries, valueHeadDim]`.
 * @throws RangeError when an array of the weights has another size than they say.
 */
export function attendMhe<T>(
  port: TensorPort<T>,
  weights: MheWeights,
  inputs: AttentionInputs<T>,
  rules: ScoreRules<T>,
  steps: HeadSteps<T> = {},
): T {
  const { numHeads, groups, embedding } = weights;
  const shared = projectQueryKeyValue(port, weights, inputs);
  function embed(heads: Heads<T>, headGroups: readonly number[], embeddings: Matrix): Heads<T> {
    const vectors = embedding === 'mul' ? { ...embeddings, data: embeddings.data.map((x) => 1 + x) } : embeddings;
    return applyPerHead(port, spreadGroups(port, heads, headGroups), embedding, vectors);
  }
  const heads = {
    query: stepped(embed(shared.query, queryGroups(groups), weights.queryEmbedding), steps.query),
    key: embed(stepped(shared.key, steps.key), groups.queryKey, weights.keyEmbedding),
    value: embed(stepped(shared.value, steps.value), groups.value, weights.valueEmbedding),
  };
  steps.spread?.('key', heads.key);
  steps.spread?.('value', heads.value);
  return attendHeads(port, heads, numHeads, rules);
}

/** The whole block: {@link attendMhe}, then the output projection. Returns `[batch, queries, outputDim]`. */
export function mhe<T>(port: TensorPort<T>, weights: MheWeights, inputs: AttentionInputs<T>, rules: ScoreRules<T>): T {
  return mergeHeads(port, weights, attendMhe(port, weights, inputs, rules));
}
