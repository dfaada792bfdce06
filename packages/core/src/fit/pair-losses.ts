import { timesBlockDiagonal } from '../float64/block-diagonal.js';
import { flooredCholesky } from '../float64/floored-cholesky.js';
import { leadingSubspace } from '../float64/leading-subspace.js';
import type { Matrix } from '../float64/matrix.js';
import { gram, product } from '../float64/product.js';
import { zeros } from '../float64/zeros.js';

/**
 * What two heads lose when they must share one space of `headDim` directions, for each pair of heads: the energy of
 * `[F_a C_a, F_b C_b]` outside its `headDim` leading directions.
 *
 * @param factors - `F`, `[rows, numHeads * headDim]`, heads in contiguous column blocks.
 * @param weights - `C_h C_h^T` of each head, `[headDim, headDim]`: how much its columns count.
 * @returns `[numHeads, numHeads]`, symmetric, zero on the diagonal.
 */
export function subspacePairLosses(factors: Matrix, weights: readonly Matrix[]): Matrix {
  const size = (weights[0] as Matrix).rows;
  const roots = weights.map((weight) => flooredCholesky(weight, 1e-14).lower);
  const products = gram(timesBlockDiagonal(factors, roots));
  return forEachPair(weights.length, (a, b) => {
    const pair = principalBlocks(products, [a, b], size);
    const options = { maxIterations: 1, tolerance: 0, spare: 0, seed: 0 };
    const { energies } = leadingSubspace((columns) => product(pair, columns), pair.rows, size, options);
    let rest = 0;
    for (let i = 0; i < pair.rows; i++) rest += (pair.data[i * pair.rows + i] as number) - (energies[i] ?? 0);
    return Math.max(0, rest);
  });
}

/**
 * Half the squared distance between the forms `U_a V_a^T` and `U_b V_b^T`, for each pair of heads: what they lose when
 * their mean stands for both.
 */
export function formPairDistances(query: Matrix, key: Matrix, numHeads: number): Matrix {
  const size = query.cols / numHeads;
  const queryGram = gram(query);
  const keyGram = gram(key);
  const inner = (a: number, b: number) => {
    let sum = 0;
    for (let r = a * size; r < (a + 1) * size; r++) {
      for (let c = b * size; c < (b + 1) * size; c++) {
        sum += (queryGram.data[r * query.cols + c] as number) * (keyGram.data[r * query.cols + c] as number);
      }
    }
    return sum;
  };
  const energies = Array.from({ length: numHeads }, (_, head) => inner(head, head));
  return forEachPair(numHeads, (a, b) =>
    Math.max(0, ((energies[a] as number) + (energies[b] as number)) / 2 - inner(a, b)),
  );
}

/** Adds losses of the same pairs. */
export function sumLosses(a: Matrix, b: Matrix): Matrix {
  return { ...a, data: a.data.map((x, at) => x + (b.data[at] as number)) };
}

/** A loss for each pair of `count` heads: `[count, count]`, symmetric, zero on the diagonal. */
export function forEachPair(count: number, loss: (a: number, b: number) => number): Matrix {
  const out = zeros(count, count);
  for (let a = 0; a < count; a++) {
    for (let b = a + 1; b < count; b++) {
      const value = loss(a, b);
      out.data[a * count + b] = value;
      out.data[b * count + a] = value;
    }
  }
  return out;
}

/** The rows and columns of some blocks of a symmetric matrix. */
function principalBlocks({ cols, data }: Matrix, blocks: readonly number[], size: number): Matrix {
  const at = blocks.flatMap((one) => Array.from({ length: size }, (_, i) => one * size + i));
  const out = zeros(at.length, at.length);
  at.forEach((row, r) => {
    at.forEach((col, c) => {
      out.data[r * at.length + c] = data[row * cols + col] as number;
    });
  });
  return out;
}
