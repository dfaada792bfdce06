/**
 * What a model does to its scores around the softmax, apart from the product itself: scale, additive bias or
 * mask, boolean masks, a guard against rows without any key.
 *
 * @typeParam T - the backend's tensor.
 */
export interface ScoreRules<T> {
  /**
   * From `query . key` to what the softmax reads, the scale included. `[..., heads, queries, keys]` to the same;
   * `heads` may be 1 where {@link ScoreRules.sameForAllHeads} is true.
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
