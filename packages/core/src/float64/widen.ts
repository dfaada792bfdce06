import type { Matrix } from './matrix.js';
import { zeros } from './zeros.js';

/** The same columns with columns of zeros behind them. */
export function widen(matrix: Matrix, cols: number): Matrix {
  if (matrix.cols === cols) return matrix;
  const out = zeros(matrix.rows, cols);
  for (let r = 0; r < matrix.rows; r++) {
    out.data.set(matrix.data.subarray(r * matrix.cols, (r + 1) * matrix.cols), r * cols);
  }
  return out;
}
