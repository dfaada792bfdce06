import { type Heads, repeatHeads } from './heads.js';
import type { TensorPort } from './port.js';
import type { ScoreRules } from './score-rules.js';

/** Queries, keys and values with a head axis each, of one group or of all heads. */
export interface HeadTensors<T> {
  readonly query: Heads<T>;
  readonly key: Heads<T>;
  readonly value: Heads<T>;
}

/**
 * Scaled dot-product attention (Vaswani et al. 2017, equation 1) for every head:
 * `[batch, numHeads, queries, valueHeadDim]`. What all heads share is computed once.
 */
export function attendHeads<T>(port: TensorPort<T>, heads: HeadTensors<T>, numHeads: number, rules: ScoreRules<T>): T {
  const query = rules.sameForAllHeads ? heads.query : repeatHeads(port, heads.query, numHeads);
  const scores = port.matMul(query.tensor, port.transpose(heads.key.tensor, [0, 1, 3, 2]));
  const context = port.matMul(probabilities(port, scores, rules), heads.value.tensor);
  return repeatHeads(
    port,
    { tensor: context, count: Math.max(query.count, heads.key.count, heads.value.count) },
    numHeads,
  ).tensor;
}

function probabilities<T>(port: TensorPort<T>, scores: T, rules: ScoreRules<T>): T {
  const raw = port.softmax(rules.beforeSoftmax(scores));
  const guarded = rules.guardEmptyRows ? rules.guardEmptyRows(raw) : raw;
  return rules.afterSoftmax ? rules.afterSoftmax(guarded) : guarded;
}
