import { accumulateProduct } from './accumulate.js';
import { block, transposed } from './block.js';
import type { Matrix } from './matrix.js';

/** Rows solved at a time; what they owe to the others is one product per step. */
const STRIP = 48;

/**
 * `(L L^T)^-1 b`.
 *
 * @param lower - `L`, as `cholesky` returns it.
 */
export function choleskySolve(lower: Matrix, b: Matrix): Matrix {
  return solveTransposed(lower, solveLower(lower, b));
}

/** `L^-1 b` for a lower triangular `L`. */
export function solveLower(lower: Matrix, b: Matrix): Matrix {
  const x = copy(b);
  for (let start = 0; start < lower.rows; start += STRIP) {
    const width = Math.min(STRIP, lower.rows - start);
    accumulateProduct(block(x, start, 0, width), block(lower, start, 0, width, start), block(x, 0, 0, start), -1);
    forwardSubstitute(lower, x, start, width);
  }
  return x;
}

/** `L^-T b` for a lower triangular `L`. */
export function solveTransposed(lower: Matrix, b: Matrix): Matrix {
  const x = copy(b);
  const size = lower.rows;
  for (let start = Math.floor((size - 1) / STRIP) * STRIP; start >= 0; start -= STRIP) {
    const width = Math.min(STRIP, size - start);
    const below = start + width;
    const panel = transposed(block(lower, below, start, size - below, width));
    accumulateProduct(block(x, start, 0, width), panel, block(x, below), -1);
    backSubstitute(lower, x, start, width);
  }
  return x;
}

function copy({ rows, cols, data }: Matrix): Matrix {
  return { rows, cols, data: data.slice() };
}

function forwardSubstitute(lower: Matrix, x: Matrix, start: number, width: number): void {
  for (let r = start; r < start + width; r++) {
    for (let k = start; k < r; k++) subtractRow(x, r, k, lower.data[r * lower.rows + k] as number);
    divideRow(x, r, lower.data[r * lower.rows + r] as number);
  }
}

function backSubstitute(lower: Matrix, x: Matrix, start: number, width: number): void {
  for (let r = start + width - 1; r >= start; r--) {
    for (let k = r + 1; k < start + width; k++) subtractRow(x, r, k, lower.data[k * lower.rows + r] as number);
    divideRow(x, r, lower.data[r * lower.rows + r] as number);
  }
}

function subtractRow({ cols, data }: Matrix, target: number, source: number, factor: number): void {
  let from = source * cols;
  for (let to = target * cols; to < (target + 1) * cols; to++, from++) {
    data[to] = (data[to] as number) - factor * (data[from] as number);
  }
}

function divideRow({ cols, data }: Matrix, row: number, divisor: number): void {
  for (let at = row * cols; at < (row + 1) * cols; at++) data[at] = (data[at] as number) / divisor;
}
