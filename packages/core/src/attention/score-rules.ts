import type { TensorPort } from './port.js';

/**
 * What a model does to its scores around the softmax, apart from the product itself: scale, additive bias or
 * mask, boolean masks, a guard against rows without any key.
 *
 * @typeParam T - the backend's tensor.
 */
export interface ScoreRules<T> {
  /**
   * From `query . key` to what the softmax reads, the scale included. `[batch, heads, queries, keys]` to the same;
   * where {@link ScoreRules.sameForAllHeads} is true, `heads` may be 1 or the number of groups.
   */
  beforeSoftmax(scores: T): T;
  /** Whether no step depends on the head, so that the rules may run once for all heads. */
  readonly sameForAllHeads: boolean;
  /**
   * Turns not-a-number into 0, elementwise: the guard of recent exports for rows that may attend to nothing. Absent:
   * no guard. Forms that never hold the probabilities run it on the context, which comes to the same.
   */
  guardEmptyRows?(values: T): T;
  /** Any other step from the softmax to the weights of the values. Absent: nothing. */
  afterSoftmax?(probabilities: T): T;
}

/** Whether a mask has an axis of heads longer than 1, as relative position biases do. */
export type MaskScope = 'all heads' | 'per head';

/** Multiplies the scores, usually by `1 / sqrt(headDim)`. */
export function scaleRule<T>(port: TensorPort<T>, scale: number): ScoreRules<T> {
  const step = (scores: T) => port.mul(scores, port.constant(Float64Array.of(scale), []));
  return { beforeSoftmax: scale === 1 ? (scores) => scores : step, sameForAllHeads: true };
}

/** Adds a mask or bias that broadcasts to `[batch, heads, queries, keys]`: 0 to keep, a large negative number to hide. */
export function additiveMaskRule<T>(port: TensorPort<T>, mask: T, scope: MaskScope = 'all heads'): ScoreRules<T> {
  return { beforeSoftmax: (scores) => port.add(scores, mask), sameForAllHeads: scope === 'all heads' };
}

/**
 * Hides what a truth tensor that broadcasts to `[batch, heads, queries, keys]` does not allow. Rows that are allowed
 * nothing give a context of 0.
 */
export function booleanMaskRule<T>(port: TensorPort<T>, allowed: T, scope: MaskScope = 'all heads'): ScoreRules<T> {
  const scalar = (value: number) => port.constant(Float64Array.of(value), []);
  return {
    beforeSoftmax: (scores) => port.where(allowed, scores, scalar(Number.NEGATIVE_INFINITY)),
    guardEmptyRows: (values) => port.where(port.isNaN(values), scalar(0), values),
    sameForAllHeads: scope === 'all heads',
  };
}

/**
 * Hides later keys, for lengths that are known: query `i` sees key `j` up to `j = i + keys - queries`, so that queries
 * are the last of the keys where there are fewer of them (decoding over a cache).
 *
 * @throws RangeError when there are more queries than keys: the first would see nothing.
 */
export function causalRule<T>(port: TensorPort<T>, queries: number, keys: number): ScoreRules<T> {
  if (queries > keys) {
    throw new RangeError(`causal mask: ${queries} queries over ${keys} keys would leave queries without any key`);
  }
  const mask = new Float64Array(queries * keys);
  for (let query = 0; query < queries; query++) {
    mask.fill(Number.NEGATIVE_INFINITY, query * keys + query + keys - queries + 1, (query + 1) * keys);
  }
  return additiveMaskRule(port, port.constant(mask, [queries, keys]));
}

/** Rules one after the other, as a model applies them: scale, then masks. */
export function combineRules<T>(rules: readonly ScoreRules<T>[]): ScoreRules<T> {
  // One guard does the work of several.
  const guarding = rules.find((rule) => rule.guardEmptyRows);
  const finishing = rules.filter((rule) => rule.afterSoftmax);
  return {
    beforeSoftmax: (scores) => rules.reduce((x, rule) => rule.beforeSoftmax(x), scores),
    sameForAllHeads: rules.every((rule) => rule.sameForAllHeads),
    ...(guarding && { guardEmptyRows: (values: T) => guarding.guardEmptyRows?.(values) ?? values }),
    ...(finishing.length > 0 && {
      afterSoftmax: (values: T) => finishing.reduce((x, rule) => rule.afterSoftmax?.(x) ?? x, values),
    }),
  };
}
