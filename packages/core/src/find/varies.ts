import { stridesOf } from './layout.js';

/** Whether numbers, one per element of a tensor, change along an axis. */
export function varies(codes: Int32Array, dims: readonly number[], axis: number): boolean {
  const stride = stridesOf(dims)[axis] as number;
  const span = stride * (dims[axis] as number);
  for (let start = 0; start < codes.length; start += span) {
    for (let i = start + stride; i < start + span; i++) {
      if (codes[i] !== codes[i - stride]) return true;
    }
  }
  return false;
}
