import { accumulateProduct } from '../float64/accumulate.js';
import { type Block, block, transposed } from '../float64/block.js';
import type { Matrix } from '../float64/matrix.js';
import { orthonormalise } from '../float64/orthonormalise.js';
import { product } from '../float64/product.js';
import { type SeededRandom, seededRandom } from '../float64/random.js';
import { checkWeights } from './check-weights.js';
import type { AttentionWeights, Projection } from './weights.js';

/**
 * The same attention in another basis for every head, drawn at random: `Wq A` and `Wk A^-T`, `Wv B` and `B^-1 Wo`. Heads
 * are defined up to such a change, so heads that share a projection look unrelated afterwards: what a swap that works
 * must see through. Singular values of `A` and `B` lie between 1/2 and 2.
 *
 * @param seed - of the random bases, a whole number.
 * @throws RangeError when an array of the weights has another size than they say.
 */
export function disguiseHeads(weights: AttentionWeights, seed: number): AttentionWeights {
  checkWeights(weights);
  const random = seededRandom(seed);
  const { numHeads, headDim, valueHeadDim, output } = weights;
  const queryKey = Array.from({ length: numHeads }, () => randomBasis(headDim, random));
  const value = Array.from({ length: numHeads }, () => randomBasis(valueHeadDim, random));
  return {
    ...weights,
    query: changeColumns(
      weights.query,
      queryKey.map((basis) => basis.matrix),
    ),
    key: changeColumns(
      weights.key,
      queryKey.map((basis) => basis.inverseTransposed),
    ),
    value: changeColumns(
      weights.value,
      value.map((basis) => basis.matrix),
    ),
    output: {
      ...output,
      weight: changeRows(
        output.weight,
        value.map((basis) => basis.inverseTransposed),
      ),
    },
  };
}

interface Basis {
  readonly matrix: Matrix;
  readonly inverseTransposed: Matrix;
}

/** `P diag(s) Q` with random rotations `P` and `Q`; its inverse transposed is `P diag(1 / s) Q`. */
function randomBasis(size: number, random: SeededRandom): Basis {
  const left = randomRotation(size, random);
  const right = randomRotation(size, random);
  const stretches = Array.from({ length: size }, () => 2 ** (2 * random.uniform() - 1));
  const stretched = (by: (stretch: number) => number) => ({
    ...left,
    data: left.data.map((x, i) => x * by(stretches[i % size] as number)),
  });
  return {
    matrix: product(
      stretched((stretch) => stretch),
      right,
    ),
    inverseTransposed: product(
      stretched((stretch) => 1 / stretch),
      right,
    ),
  };
}

function randomRotation(size: number, random: SeededRandom): Matrix {
  return orthonormalise({ rows: size, cols: size, data: Float64Array.from({ length: size * size }, random.normal) });
}

/** Multiplies each head's columns, and its part of the bias, by its matrix from the right. */
function changeColumns({ weight, bias }: Projection, changes: readonly Matrix[]): Projection {
  const change = (matrix: Matrix) =>
    changeBlocks(matrix, changes, (whole, at, size) => block(whole, 0, at, whole.rows, size));
  return {
    weight: change(weight),
    bias: bias && change({ rows: 1, cols: bias.length, data: bias }).data,
  };
}

/** Multiplies each head's rows by its matrix, transposed, from the left. */
function changeRows(weight: Matrix, changes: readonly Matrix[]): Matrix {
  return changeBlocks(weight, changes, (whole, at, size) => transposed(block(whole, at, 0, size)));
}

function changeBlocks(
  matrix: Matrix,
  changes: readonly Matrix[],
  cut: (whole: Matrix, at: number, size: number) => Block,
): Matrix {
  const out: Matrix = { ...matrix, data: new Float64Array(matrix.data.length) };
  changes.forEach((change, head) => {
    const at = head * change.rows;
    accumulateProduct(cut(out, at, change.rows), cut(matrix, at, change.rows), block(change));
  });
  return out;
}
