import type { Matrix } from './matrix.js';

/** A rectangle inside a row-major or transposed array: element `(r, c)` is `data[offset + r * rowStride + c * colStride]`. */
export interface Block {
  readonly rows: number;
  readonly cols: number;
  readonly data: Float64Array;
  readonly offset: number;
  readonly rowStride: number;
  readonly colStride: number;
}

/** Rows `[row, row + rows)` and columns `[col, col + cols)` of a matrix, without copying; by default all of it. */
export function block(
  matrix: Matrix,
  row = 0,
  col = 0,
  rows: number = matrix.rows - row,
  cols: number = matrix.cols - col,
): Block {
  const { data, cols: rowStride } = matrix;
  return { rows, cols, data, offset: row * rowStride + col, rowStride, colStride: 1 };
}

/** The same numbers with rows and columns exchanged. */
export function transposed(block: Block): Block {
  const { rows, cols, rowStride, colStride } = block;
  return { ...block, rows: cols, cols: rows, rowStride: colStride, colStride: rowStride };
}
