import { accumulateProduct } from './accumulate.js';
import { block } from './block.js';
import type { Matrix } from './matrix.js';
import { zeros } from './zeros.js';

/** `diag(blocks) b` for square blocks of one size. */
export function blockDiagonalTimes(blocks: readonly Matrix[], b: Matrix): Matrix {
  const out = zeros(b.rows, b.cols);
  blocks.forEach((one, i) => {
    const row = i * one.rows;
    accumulateProduct(block(out, row, 0, one.rows), block(one), block(b, row, 0, one.rows));
  });
  return out;
}

/** `a diag(blocks)` for square blocks of one size. */
export function timesBlockDiagonal(a: Matrix, blocks: readonly Matrix[]): Matrix {
  const out = zeros(a.rows, a.cols);
  blocks.forEach((one, i) => {
    const col = i * one.rows;
    accumulateProduct(block(out, 0, col, a.rows, one.rows), block(a, 0, col, a.rows, one.rows), block(one));
  });
  return out;
}
