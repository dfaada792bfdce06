import type { TensorPort } from '../attention/port.js';

/** A tensor with its axes in another order; the tensor itself where they stand in it already. */
export function inOrder<T>(port: TensorPort<T>, tensor: T, permutation: readonly number[]): T {
  return permutation.every((axis, i) => axis === i) ? tensor : port.transpose(tensor, permutation);
}
