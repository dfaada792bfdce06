import type { Matrix } from '../float64/matrix.js';
import { normalMatrix } from '../float64/normal-matrix.js';
import { product } from '../float64/product.js';
import { addScaled } from './elementwise.js';
import type { OutputMoments } from './output.js';
import { ridgeRegression } from './ridge-regression.js';
import { sumOfParts } from './sum-of-parts.js';

const WEAKEST = 1e-4;
const STRONGEST = 10;
/** From one ridge that is tried to the next. */
const STEP = 4;
/** Of so many random mixtures of the outputs errors are measured: enough to compare ridges, at a fraction of the cost. */
const MIXTURES = 32;

/**
 * The ridge with which a fit to some parts of the calibration serves the others best, each part held out in turn
 * (cross-validation; Stone 1974): from the weakest on, as long as that lowers the error.
 *
 * @returns a share of the features' mean variance over all parts; the weakest for a single part.
 */
export function chooseRidge(parts: readonly OutputMoments[], prior: Matrix): number {
  if (parts.length < 2) return WEAKEST;
  const mix = mixtures(prior.cols);
  const mixed = parts.map(({ features, targets }) => ({ features, targets: mix(targets) }));
  const mixedPrior = mix(prior);
  const folds = mixed.map((heldOut, i) => ({ heldOut, others: sumOfParts(mixed.filter((_, j) => j !== i)) }));
  const errorOf = (ridge: number) =>
    folds.reduce(
      (sum, { heldOut, others }) => sum + heldOutError(heldOut, ridgeRegression(others, mixedPrior, ridge)),
      0,
    );
  let best = { ridge: WEAKEST, error: errorOf(WEAKEST) };
  for (let ridge = WEAKEST * STEP; ridge < STRONGEST; ridge *= STEP) {
    const error = errorOf(ridge);
    if (!(error < best.error)) break;
    best = { ridge, error };
  }
  // What is best does not grow with the positions, and the mean variance, a sum over them, does.
  return Math.max(WEAKEST, (best.ridge * (parts.length - 1)) / parts.length);
}

/** Squared error of a projection over the positions of a part, less the targets' squares, which are the same for all. */
function heldOutError({ features, targets }: OutputMoments, fitted: { weight: Matrix; bias: Float64Array }): number {
  const { rows, cols, data } = fitted.weight;
  const affine = { rows: rows + 1, cols, data: new Float64Array((rows + 1) * cols) };
  affine.data.set(data);
  affine.data.set(fitted.bias, rows * cols);
  const rest = addScaled(product(features, affine), targets, -2);
  return affine.data.reduce((sum, value, at) => sum + value * (rest.data[at] as number), 0);
}

function mixtures(outputs: number): (matrix: Matrix) => Matrix {
  if (outputs <= MIXTURES) return (matrix) => matrix;
  const mixture = normalMatrix(outputs, MIXTURES, 0);
  return (matrix) => product(matrix, mixture);
}
