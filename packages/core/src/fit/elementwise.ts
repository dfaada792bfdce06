import type { Matrix } from '../float64/matrix.js';
import { zeros } from '../float64/zeros.js';

// Plain loops: these run many times a sweep, and a typed array's own `map` takes several times as long.

/** `a + factor * b`. */
export function addScaled(a: Matrix, b: Matrix, factor: number): Matrix {
  const out = zeros(a.rows, a.cols);
  for (let at = 0; at < out.data.length; at++) {
    out.data[at] = (a.data[at] as number) + factor * (b.data[at] as number);
  }
  return out;
}

/** The product element by element. */
export function hadamard(a: Matrix, b: Matrix): Matrix {
  const out = zeros(a.rows, a.cols);
  for (let at = 0; at < out.data.length; at++) out.data[at] = (a.data[at] as number) * (b.data[at] as number);
  return out;
}

/** Multiplies each column by its factor. */
export function scaleColumns(matrix: Matrix, factors: Float64Array): Matrix {
  return scaleBlocks(matrix, { rows: 1, cols: matrix.cols, data: factors });
}

/** Multiplies each column of each block of rows by its factor; blocks are equally high, `factors` is `[blocks, cols]`. */
export function scaleBlocks(matrix: Matrix, factors: Matrix): Matrix {
  const out = zeros(matrix.rows, matrix.cols);
  const height = matrix.rows / factors.rows;
  for (let r = 0, at = 0; r < matrix.rows; r++) {
    const from = Math.floor(r / height) * matrix.cols;
    for (let c = 0; c < matrix.cols; c++, at++) {
      out.data[at] = (matrix.data[at] as number) * (factors.data[from + c] as number);
    }
  }
  return out;
}

/** The sum of each column of each of `blocks` equally high blocks of rows: `[blocks, cols]`. */
export function sumBlocks(matrix: Matrix, blocks: number): Matrix {
  const out = zeros(blocks, matrix.cols);
  const height = matrix.rows / blocks;
  for (let r = 0, at = 0; r < matrix.rows; r++) {
    const to = Math.floor(r / height) * matrix.cols;
    for (let c = 0; c < matrix.cols; c++, at++) {
      out.data[to + c] = (out.data[to + c] as number) + (matrix.data[at] as number);
    }
  }
  return out;
}

/** The squared length of each column. */
export function columnEnergies(matrix: Matrix): Float64Array {
  return sumBlocks(hadamard(matrix, matrix), 1).data;
}
