import type { FoldedMheWeights, Projection } from '../attention/weights.js';
import type { Matrix } from '../float64/matrix.js';
import { transposedTriangleProduct } from '../float64/product.js';
import { chooseRidge } from './choose-ridge.js';
import { addScaled } from './elementwise.js';
import { biasFor, type RidgeRegression, ridgeRegression } from './ridge-regression.js';
import { sumOfParts } from './sum-of-parts.js';

/** What the new heads compute on calibration inputs, set against what the block should put out. Sums or means alike. */
export interface OutputMoments {
  /**
   * `Z^T Z` of `Z = [z, 1]`, `z` the new heads' outputs side by side as the output projection reads them:
   * `[numHeads * valueHeadDim + 1, numHeads * valueHeadDim + 1]`.
   */
  readonly features: Matrix;
  /** `Z^T Y`, `Y` the original block's output: `[numHeads * valueHeadDim + 1, outputDim]`. */
  readonly targets: Matrix;
}

/** How the refit is held back. */
export interface RefitOptions {
  /**
   * Weight of the given projection, as a share of the features' mean variance. Default: what serves each part of the
   * calibration best when the output is fitted to the others (cross-validation), at least 1e-4; 1e-4 for a single part.
   */
  readonly ridge?: number;
}

/**
 * Fits the output projection to what the original block put out, by ridge regression from accumulated moments: mends
 * part of what sharing queries, keys and values changed. Where the calibration says little, the weights stay as they are,
 * all of them where nothing is to be mended. The bias is free.
 *
 * @param parts - moments of one or more parts of the calibration inputs; sums over the positions of each part.
 * @returns the same weights with another `output`, its bias included.
 * @throws RangeError when the moments do not have the sizes of the output projection.
 */
export function refitOutput(
  weights: FoldedMheWeights,
  parts: readonly [OutputMoments, ...OutputMoments[]],
  options: RefitOptions = {},
): FoldedMheWeights {
  for (const part of parts) checkSizes(weights.output, part);
  const ridge = options.ridge ?? chooseRidge(parts, weights.output.weight);
  const fitted = ridgeRegression(sumOfParts(parts), weights.output.weight, ridge);
  return mends(fitted, weights.output) ? { ...weights, output: { weight: fitted.weight, bias: fitted.bias } } : weights;
}

/**
 * Mean square change of the output, relative to its mean square, below which a refit mends nothing: it is the rounding of
 * float32 moments, which the ridge would blow up in directions that the calibration does not show.
 */
const leastChange = 1e-9;

function checkSizes({ weight }: Projection, { features, targets }: OutputMoments): void {
  const size = weight.rows + 1;
  const sizes: [string, Matrix, number][] = [
    ['features', features, size],
    ['targets', targets, weight.cols],
  ];
  for (const [name, matrix, cols] of sizes) {
    if (matrix.rows !== size || matrix.cols !== cols) {
      throw new RangeError(
        `output moments: ${name} must be ${size} x ${cols} for this output projection, got ${matrix.rows} x ${matrix.cols}`,
      );
    }
  }
}

/** Whether the output differs by more than rounding from what the projection gives as it is. */
function mends(fitted: RidgeRegression, { weight: prior, bias }: Projection): boolean {
  const { weight, root, count, means, targetMeans } = fitted;
  // Both with the square root of the moments: their squares are sums over the positions, as the moments are.
  const spread = (matrix: Matrix) => squares(transposedTriangleProduct(root, matrix).data);
  const shift = biasFor(prior, means, targetMeans).map((value, c) => value - (bias?.[c] ?? 0));
  const change = spread(addScaled(weight, prior, -1)) + count * squares(shift);
  return change > leastChange * (spread(weight) + count * squares(targetMeans));
}

function squares(data: Float64Array): number {
  return data.reduce((sum, value) => sum + value * value, 0);
}
