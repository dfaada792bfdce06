import type { Matrix } from '../float64/matrix.js';
import { zeros } from '../float64/zeros.js';

/** A copy of the column blocks of some heads, side by side in the given order. */
export function headColumns(matrix: Matrix, heads: readonly number[], size: number): Matrix {
  const out = zeros(matrix.rows, heads.length * size);
  for (let r = 0; r < matrix.rows; r++) {
    heads.forEach((head, i) => {
      const from = r * matrix.cols + head * size;
      out.data.set(matrix.data.subarray(from, from + size), r * out.cols + i * size);
    });
  }
  return out;
}

/** A copy of the row blocks of some heads, one below the other in the given order. */
export function headRows({ cols, data }: Matrix, heads: readonly number[], size: number): Matrix {
  const out = zeros(heads.length * size, cols);
  heads.forEach((head, i) => {
    out.data.set(data.subarray(head * size * cols, (head + 1) * size * cols), i * size * cols);
  });
  return out;
}
