import { stridesOf } from './layout.js';

/** Whether numbers, one per element of a tensor, change along an axis. */
export function varies(codes: Int32Array, dims: readonly number[], axis: number): boolean {
  const stride = stridesOf(dims)[axis] as number;
  const size = dims[axis] as number;
  return codes.some((code, i) => code !== codes[i - (Math.floor(i / stride) % size) * stride]);
}
