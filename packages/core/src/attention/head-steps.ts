import type { Heads } from './heads.js';

/**
 * What a model does to its heads between the projections and the products: rotations by position, joins to a cache. Each
 * is given the heads as they are shared, and only the queries as each head has them, gains and biases in them. Absent:
 * nothing.
 *
 * @typeParam T - the backend's tensor.
 */
export interface HeadSteps<T> {
  /** Queries, `[batch, heads or 1, queries, headDim]`. */
  query?(query: T): T;
  /** Keys, `[batch, groups, new keys, headDim]` to `[batch, groups, keys, headDim]`. */
  key?(key: T): T;
  /** Values, `[batch, groups, new keys, valueHeadDim]` to `[batch, groups, keys, valueHeadDim]`. */
  value?(value: T): T;
  /** Keys and values as the products read them; it may take note of them. */
  spread?(part: 'key' | 'value', heads: Heads<T>): void;
}

/** Takes a step on the heads, if there is one. */
export function stepped<T>(heads: Heads<T>, step: ((tensor: T) => T) | undefined): Heads<T> {
  return step ? { ...heads, tensor: step(heads.tensor) } : heads;
}
