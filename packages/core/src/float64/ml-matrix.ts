import { Matrix as MlMatrix } from 'ml-matrix';
import type { Matrix } from './matrix.js';

/** The same numbers as a matrix of the library that does the small decompositions. */
export function toMlMatrix({ rows, cols, data }: Matrix): MlMatrix {
  const out = new MlMatrix(rows, cols);
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < cols; c++) out.set(r, c, data[r * cols + c] as number);
  }
  return out;
}

/** The way back. */
export function fromMlMatrix(matrix: MlMatrix): Matrix {
  return { rows: matrix.rows, cols: matrix.columns, data: Float64Array.from(matrix.to1DArray()) };
}
