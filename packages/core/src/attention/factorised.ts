import { checkWeights } from './check-weights.js';
import { attendFactorisedHeads } from './factorised-heads.js';
import { FormError } from './form-error.js';
import { groupCount, headsByGroup } from './head-groups.js';
import type { AttentionInputs } from './inputs.js';
import { keyBiasProjection } from './key-bias.js';
import type { TensorPort } from './port.js';
import { project, projectHeads } from './project.js';
import type { ScoreRules } from './score-rules.js';
import type { FoldedMheWeights } from './weights.js';

/**
 * Why these weights under these rules cannot be computed by the factorised form, as a clause; `null` where they can.
 * Whether float32 is enough is another question: see `factorisedRangeLimit`.
 */
export function factorisedObstacle<T>(weights: FoldedMheWeights, rules: ScoreRules<T>): string | null {
  if (weights.queryGain?.data.some((gain) => gain !== 1)) {
    return 'queries have a gain per head (MHE-MUL), and only a bias per head leaves one score matrix for all';
  }
  if (weights.groups.query) return 'queries are projected for each head, and only shared ones leave one score matrix';
  if (!rules.sameForAllHeads) return 'the mask or bias of the scores differs between heads';
  if (rules.afterSoftmax)
    return 'the model changes the probabilities after the softmax, and this form never holds them';
  return null;
}

/**
 * The heads of MHE-ADD with one softmax a group instead of one a head.
 *
 * A head's scores are `S + 1 c^T`: `S`, the scores without the head's query bias `b` and with scale and mask, is the
 * group's, and `c = scale * K b` has a number for each key. So `exp(S + 1 c^T) = exp(S) diag(exp c)`, and with `P =
 * softmax(S)`, whose rows differ from `exp(S)` by factors that cancel,
 * `head = (P diag(exp c) V) / (P diag(exp c) 1)`: one product for the numerators of all heads of a group, and a narrow
 * one for their denominators.
 * The maximum over the keys is taken off `c` first. See `factorisedRangeLimit` for when float32 is safe.
 *
 * The scale of `rules` has to be `weights.scale`, and whatever else they do to the scores must be an addition or hide
 * keys. Only the probabilities of hidden rows differ: a row whose finite mask hides every key spreads by `c`.
 *
 * @returns the heads with their features last, `[batch, queries, numHeads, valueHeadDim]`: merged by a reshape alone.
 * @throws FormError when `factorisedObstacle` names one.
 * @throws RangeError when an array of the weights has another size than they say.
 */
export function attendFactorisedMheHeadsLast<T>(
  port: TensorPort<T>,
  weights: FoldedMheWeights,
  inputs: AttentionInputs<T>,
  rules: ScoreRules<T>,
): T {
  checkWeights(weights);
  const obstacle = factorisedObstacle(weights, rules);
  if (obstacle !== null) throw new FormError('factorised', obstacle);
  const { numHeads, headDim, valueHeadDim, groups } = weights;
  const heads = headsByGroup(groups.queryKey);
  const order = heads.flat();
  const [query, key, value, keyBias] = projectHeads(port, [
    { stream: inputs.query, projection: weights.query, count: heads.length, size: headDim },
    { stream: inputs.key, projection: weights.key, count: heads.length, size: headDim },
    { stream: inputs.value, projection: weights.value, count: 1, size: groupCount(groups.value) * valueHeadDim },
    { stream: inputs.key, projection: keyBiasProjection(weights, order), count: 1, size: numHeads },
  ]);

  const tensors = { query: query.tensor, key: key.tensor, value: value.tensor, keyBias: keyBias.tensor };
  return attendFactorisedHeads(port, tensors, weights, rules);
}

/** As {@link attendFactorisedMheHeadsLast}, with the axes of the other forms: `[batch, numHeads, queries, valueHeadDim]`. */
export function attendFactorisedMhe<T>(
  port: TensorPort<T>,
  weights: FoldedMheWeights,
  inputs: AttentionInputs<T>,
  rules: ScoreRules<T>,
): T {
  return port.transpose(attendFactorisedMheHeadsLast(port, weights, inputs, rules), [0, 2, 1, 3]);
}

/** The whole block: {@link attendFactorisedMhe}, then the output projection. Returns `[batch, queries, outputDim]`. */
export function factorisedMhe<T>(
  port: TensorPort<T>,
  weights: FoldedMheWeights,
  inputs: AttentionInputs<T>,
  rules: ScoreRules<T>,
): T {
  const context = attendFactorisedMheHeadsLast(port, weights, inputs, rules);
  return project(port, port.reshape(context, [0, 0, weights.numHeads * weights.valueHeadDim]), weights.output);
}
