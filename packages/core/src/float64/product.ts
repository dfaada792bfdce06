import { accumulateProduct } from './accumulate.js';
import { block, transposed } from './block.js';
import type { Matrix } from './matrix.js';
import { zeros } from './zeros.js';

/** `a b`. */
export function product(a: Matrix, b: Matrix): Matrix {
  const out = zeros(a.rows, b.cols);
  accumulateProduct(block(out), block(a), block(b));
  return out;
}

/** `a^T b`. */
export function transposedProduct(a: Matrix, b: Matrix): Matrix {
  const out = zeros(a.cols, b.cols);
  accumulateProduct(block(out), transposed(block(a)), block(b));
  return out;
}

/** `a^T a`, computed once for both triangles. */
export function gram(a: Matrix): Matrix {
  const out = zeros(a.cols, a.cols);
  accumulateProduct(block(out), transposed(block(a)), block(a), 1, 'lower');
  mirrorLower(out);
  return out;
}

/** Rows worked on at a time: the part of a triangle inside one such step is multiplied as if it were full. */
const STRIP = 64;

/** `lower^T b` for a lower triangular matrix, whose zeros are skipped. */
export function transposedTriangleProduct(lower: Matrix, b: Matrix): Matrix {
  const out = zeros(lower.cols, b.cols);
  for (let row = 0; row < out.rows; row += STRIP) {
    const height = Math.min(STRIP, out.rows - row);
    const triangle = block(lower, row, row, lower.rows - row, height);
    accumulateProduct(block(out, row, 0, height), transposed(triangle), block(b, row, 0));
  }
  return out;
}

function mirrorLower({ rows, data }: Matrix): void {
  for (let r = 0; r < rows; r++) {
    for (let c = r + 1; c < rows; c++) data[r * rows + c] = data[c * rows + r] as number;
  }
}
