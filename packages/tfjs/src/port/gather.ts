import { concat, slice, type Tensor } from '@tensorflow/tfjs-core';

/**
 * Picks positions of an axis, for the few that attention asks for. Slices set side by side instead of tfjs' own gather,
 * whose gradient needs a kernel that wasm lacks (UnsortedSegmentSum).
 */
export function gather(a: Tensor, indices: readonly number[], axis: number): Tensor {
  const runs = consecutiveRuns(indices).map(({ start, length }) => {
    const begin = a.shape.map((_, i) => (i === axis ? start : 0));
    return slice(
      a,
      begin,
      a.shape.map((size, i) => (i === axis ? length : size)),
    );
  });
  return runs.length === 1 ? (runs[0] as Tensor) : concat(runs, axis);
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
