import { attendHeads } from './attend-heads.js';
import type { AttentionInputs } from './inputs.js';
import { mergeHeads } from './merge-heads.js';
import type { TensorPort } from './port.js';
import { projectQueryKeyValue } from './query-key-value.js';
import type { ScoreRules } from './score-rules.js';
import type { AttentionWeights } from './weights.js';

/**
 * The heads of multi-head attention (Vaswani et al. 2017, section 3.2.2), before they are merged.
 *
 * @param rules - what happens to the scores; the scale is theirs, `weights.scale` is not read.
 * @returns `[batch, numHeads, queries, valueHeadDim]`.
 * @throws RangeError when an array of the weights has another size than they say.
 */
export function attendMha<T>(
  port: TensorPort<T>,
  weights: AttentionWeights,
  inputs: AttentionInputs<T>,
  rules: ScoreRules<T>,
): T {
  return attendHeads(port, projectQueryKeyValue(port, weights, inputs), weights.numHeads, rules);
}

/** The whole block: {@link attendMha}, then the output projection. Returns `[batch, queries, outputDim]`. */
export function mha<T>(
  port: TensorPort<T>,
  weights: AttentionWeights,
  inputs: AttentionInputs<T>,
  rules: ScoreRules<T>,
): T {
  return mergeHeads(port, weights, attendMha(port, weights, inputs, rules));
}
