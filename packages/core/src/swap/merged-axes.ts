import type { TensorPort } from '../attention/port.js';

/** `[a, b, c, d]` as `[a * b, c, d]`. The port's reshape only copies sizes in their own places, so that these go to the front. */
export function mergeLeading<T>(port: TensorPort<T>, tensor: T): T {
  const merged = port.reshape(port.transpose(tensor, [2, 3, 0, 1]), [0, 0, -1]);
  return port.transpose(merged, [2, 0, 1]);
}

/**
 * `[a * b, c, d]` as `[a, b, c, d]`.
 *
 * @param sizes - of `a` and `b`; -1 for the one that is not known.
 */
export function splitLeading<T>(port: TensorPort<T>, tensor: T, sizes: readonly [number, number]): T {
  const split = port.reshape(port.transpose(tensor, [1, 2, 0]), [0, 0, ...sizes]);
  return port.transpose(split, [2, 3, 0, 1]);
}
