import { concat, reshape, slice, type Tensor, util } from '@tensorflow/tfjs-core';

/**
 * Picks positions of an axis, for the few that attention asks for. Slices set side by side instead of tfjs' own gather,
 * whose gradient needs a kernel that wasm lacks (UnsortedSegmentSum); over three axes, because the gradient of a slice
 * of five fails on webgl.
 */
export function gather(a: Tensor, indices: readonly number[], axis: number): Tensor {
  const before = a.shape.slice(0, axis);
  const after = a.shape.slice(axis + 1);
  const [outer, inner] = [util.sizeFromShape(before), util.sizeFromShape(after)];
  const flat = reshape(a, [outer, a.shape[axis] as number, inner]);
  const runs = consecutiveRuns(indices).map(({ start, length }) => slice(flat, [0, start, 0], [outer, length, inner]));
  const picked = runs.length === 1 ? (runs[0] as Tensor) : concat<Tensor>(runs, 1);
  return reshape(picked, [...before, indices.length, ...after]);
}

interface Run {
  readonly start: number;
  readonly length: number;
}

/** `[2, 3, 4, 0]` as the runs from 2 and from 0. */
function consecutiveRuns(indices: readonly number[]): Run[] {
  const runs: Run[] = [];
  for (const index of indices) {
    const last = runs.at(-1);
    if (last && last.start + last.length === index) runs[runs.length - 1] = { ...last, length: last.length + 1 };
    else runs.push({ start: index, length: 1 });
  }
  return runs;
}
