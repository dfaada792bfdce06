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
  /** From the softmax to the weights of the values (a not-a-number guard, say). Absent: nothing. */
  afterSoftmax?(probabilities: T): T;
}
