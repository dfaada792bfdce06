import { cholesky } from './cholesky.js';
import type { Matrix } from './matrix.js';

/** `lower lower^T = a + floor I`. */
export interface FlooredCholesky {
  readonly lower: Matrix;
  readonly floor: number;
}

/**
 * The Cholesky factor of a matrix that should be positive semidefinite but may miss it by rounding (a moment summed in
 * float32, say): its diagonal is raised, ten times as much at each try, until the factor exists.
 *
 * @param a - symmetric, finite.
 * @param relativeFloor - the first try, as a share of the mean diagonal element (of 1 where `a` is zero).
 */
export function flooredCholesky(a: Matrix, relativeFloor: number): FlooredCholesky {
  const unit = meanDiagonal(a) || 1;
  for (let floor = relativeFloor * unit; Number.isFinite(floor); floor = Math.max(10 * floor, 1e-16 * unit)) {
    const lower = cholesky(raiseDiagonal(a, floor));
    if (lower) return { lower, floor };
  }
  throw new Error(
    '[mhe] a matrix to be factored holds numbers that are not finite: check the weights and calibration inputs',
  );
}

function meanDiagonal({ rows, data }: Matrix): number {
  let sum = 0;
  for (let i = 0; i < rows; i++) sum += data[i * rows + i] as number;
  return Math.abs(sum) / rows;
}

function raiseDiagonal({ rows, cols, data }: Matrix, amount: number): Matrix {
  const raised = data.slice();
  for (let i = 0; i < rows; i++) raised[i * cols + i] = (raised[i * cols + i] as number) + amount;
  return { rows, cols, data: raised };
}
