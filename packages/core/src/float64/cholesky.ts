import { accumulateProduct } from './accumulate.js';
import { block, transposed } from './block.js';
import type { Matrix } from './matrix.js';
import { zeros } from './zeros.js';

/** Columns factored at a time; the rest of the matrix is updated by one product per step. */
const STRIP = 48;

/**
 * The lower triangular `L` with `L L^T = a`. Blocked, because a library's plain loops take seconds at the width of a
 * model.
 *
 * @param a - symmetric; only its lower triangle is read.
 * @returns `null` where `a` is not positive definite to working precision.
 */
export function cholesky(a: Matrix): Matrix | null {
  const size = a.rows;
  const lower = lowerTriangle(a);
  for (let start = 0; start < size; start += STRIP) {
    const width = Math.min(STRIP, size - start);
    const below = start + width;
    if (!factorDiagonal(lower, start, width)) return null;
    solveBelow(lower, start, width);
    const panel = block(lower, below, start, size - below, width);
    accumulateProduct(block(lower, below, below), panel, transposed(panel), -1, 'lower');
    clearAbove(lower, start, width);
  }
  return lower;
}

function lowerTriangle(a: Matrix): Matrix {
  const out = zeros(a.rows, a.rows);
  for (let r = 0; r < a.rows; r++) out.data.set(a.data.subarray(r * a.cols, r * a.cols + r + 1), r * a.rows);
  return out;
}

/** Factors the square at `(start, start)`, which earlier strips have been subtracted from. */
function factorDiagonal({ rows: size, data }: Matrix, start: number, width: number): boolean {
  for (let c = start; c < start + width; c++) {
    let pivot = data[c * size + c] as number;
    for (let k = start; k < c; k++) pivot -= (data[c * size + k] as number) ** 2;
    if (!(pivot > 0 && pivot < Number.POSITIVE_INFINITY)) return false;
    const root = Math.sqrt(pivot);
    data[c * size + c] = root;
    for (let r = c + 1; r < start + width; r++) reduce(data, size, r, c, start, root);
  }
  return true;
}

/** The part of the strip below its square: `L21 = A21 L11^-T`. */
function solveBelow({ rows: size, data }: Matrix, start: number, width: number): void {
  for (let r = start + width; r < size; r++) {
    for (let c = start; c < start + width; c++) reduce(data, size, r, c, start, data[c * size + c] as number);
  }
}

function reduce(data: Float64Array, size: number, r: number, c: number, start: number, root: number): void {
  let sum = data[r * size + c] as number;
  for (let k = start; k < c; k++) sum -= (data[r * size + k] as number) * (data[c * size + k] as number);
  data[r * size + c] = sum / root;
}

/** The tiles of the update reach a little over the diagonal. */
function clearAbove({ rows: size, data }: Matrix, start: number, width: number): void {
  for (let r = start; r < start + width; r++) data.fill(0, r * size + r + 1, (r + 1) * size);
}
