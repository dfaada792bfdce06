import type { Matrix } from './matrix.js';
import { zeros } from './zeros.js';

/** A copy of rows `[row, row + rows)`. */
export function cutRows({ cols, data }: Matrix, row: number, rows: number): Matrix {
  return { rows, cols, data: data.slice(row * cols, (row + rows) * cols) };
}

/** A copy of columns `[col, col + cols)`. */
export function cutColumns(matrix: Matrix, col: number, cols: number): Matrix {
  const out = zeros(matrix.rows, cols);
  for (let r = 0; r < matrix.rows; r++) {
    const from = r * matrix.cols + col;
    out.data.set(matrix.data.subarray(from, from + cols), r * cols);
  }
  return out;
}
