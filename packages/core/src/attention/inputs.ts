/**
 * The streams that an attention block projects, each `[batch, length, dim]`. Pass the same tensor, by reference,
 * where streams are the same: their projections then become one product.
 *
 * @typeParam T - the backend's tensor.
 */
export interface AttentionInputs<T> {
  readonly query: T;
  readonly key: T;
  readonly value: T;
}
