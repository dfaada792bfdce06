import { cutRows } from '../float64/cut.js';
import type { Matrix } from '../float64/matrix.js';
import { product, transposedProduct } from '../float64/product.js';
import { singularValues } from '../float64/singular-values.js';
import { transpose } from '../float64/transpose.js';
import { zeros } from '../float64/zeros.js';
import { coreSlices } from './core-slices.js';
import { addScaled } from './elementwise.js';
import type { ScoreForms } from './score-forms.js';
import type { SharedForm } from './shared-form.js';

/**
 * A start from the mean of the heads, each first turned to the others (generalised Procrustes; Gower 1975): a head is
 * only defined up to a change of basis. Never exact, but close where heads are alike.
 *
 * @param core - compressed forms.
 */
export function alignedStart(core: ScoreForms): SharedForm {
  const { numHeads, headDim, query } = core;
  // The largest head leads, for the others to turn to.
  const sides = coreSlices(core)
    .map((slice) => balancedSides(slice, headDim))
    .sort((a, b) => energy(b) - energy(a));
  const sum = sides.reduce((so, one) => addScaled(so, product(one, rotation(one, so)), 1));
  const mean = { ...sum, data: sum.data.map((x) => x / numHeads) };
  const gain = zeros(numHeads, headDim);
  gain.data.fill(1);
  return { query: cutRows(mean, 0, query.rows), key: cutRows(mean, query.rows, mean.rows - query.rows), gain };
}

/**
 * `slice = (left sqrt(s)) (right sqrt(s))^T`: both factors, one below the other, filled up with zero columns,
 * `[queryRows + keyRows, headDim]`.
 */
function balancedSides(slice: Matrix, headDim: number): Matrix {
  const { left, values, right } = singularValues(slice);
  const sides = zeros(slice.rows + slice.cols, headDim);
  for (let f = 0; f < Math.min(headDim, values.length); f++) {
    const root = Math.sqrt(values[f] as number);
    for (let r = 0; r < sides.rows; r++) {
      const [factor, row] = r < slice.rows ? [left, r] : [right, r - slice.rows];
      sides.data[r * headDim + f] = root * (factor.data[row * factor.cols + f] as number);
    }
  }
  return sides;
}

/** The rotation `R` that brings `from R` closest to `to`. */
function rotation(from: Matrix, to: Matrix): Matrix {
  const { left, right } = singularValues(transposedProduct(from, to));
  return product(left, transpose(right));
}

function energy({ data }: Matrix): number {
  return data.reduce((sum, x) => sum + x * x, 0);
}
