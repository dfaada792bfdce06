import type { Matrix } from './matrix.js';

/** Rows and columns exchanged, as a copy. */
export function transpose({ rows, cols, data }: Matrix): Matrix {
  const out = new Float64Array(data.length);
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < cols; c++) out[c * rows + r] = data[r * cols + c] as number;
  }
  return { rows: cols, cols: rows, data: out };
}
