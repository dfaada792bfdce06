import type { FoldedMheWeights, Projection } from '../attention/weights.js';
import { flooredCholesky } from '../float64/floored-cholesky.js';
import type { Matrix } from '../float64/matrix.js';
import { transposedTriangleProduct } from '../float64/product.js';
import { choleskySolve } from '../float64/triangular-solve.js';
import { addScaled } from './elementwise.js';

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
  /** Weight of the given projection, as a share of the features' mean variance. Default 1e-4. */
  readonly ridge?: number;
}

/**
 * Fits the output projection to what the original block put out, by ridge regression from accumulated moments: mends
 * part of what sharing queries, keys and values changed. Where the calibration says little, the weights stay as they are,
 * all of them where nothing is to be mended. The bias is free.
 *
 * @returns the same weights with another `output`, its bias included.
 * @throws RangeError when the moments do not have the sizes of the output projection.
 */
export function refitOutput(
  weights: FoldedMheWeights,
  moments: OutputMoments,
  { ridge = 1e-4 }: RefitOptions = {},
): FoldedMheWeights {
  checkSizes(weights.output, moments);
  const output = ridgeRegression(moments, weights.output, ridge);
  return output ? { ...weights, output } : weights;
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

/** Minimises `|Z W + b - Y|^2 + floor |W - prior|^2`; `undefined` where the prior gives the same output already. */
function ridgeRegression(
  { features, targets }: OutputMoments,
  { weight: prior, bias: priorBias }: Projection,
  ridge: number,
): Projection | undefined {
  const dim = prior.rows;
  const count = features.data[dim * features.cols + dim] as number;
  const means = lastRow(features).map((sum) => sum / count);
  const targetMeans = lastRow(targets).map((sum) => sum / count);
  const { lower, floor } = flooredCholesky(centred(features, means, dim), ridge);
  const wanted = centred(targets, means, prior.cols);
  for (let at = 0; at < wanted.data.length; at++) {
    const sum = wanted.data[at] as number;
    wanted.data[at] = sum + floor * (prior.data[at] as number);
  }
  const weight = choleskySolve(lower, wanted);
  const bias = biasFor(weight, means, targetMeans);
  // Both with the square root of the moments: their squares are sums over the positions, as the moments are.
  const spread = (matrix: Matrix) => squares(transposedTriangleProduct(lower, matrix).data);
  const shift = biasFor(prior, means, targetMeans).map((value, c) => value - (priorBias?.[c] ?? 0));
  const change = spread(addScaled(weight, prior, -1)) + count * squares(shift);
  return change > leastChange * (spread(weight) + count * squares(targetMeans)) ? { weight, bias } : undefined;
}

/** The bias with which the mean output is the wanted one. */
function biasFor(weight: Matrix, means: Float64Array, targetMeans: Float64Array): Float64Array {
  const bias = targetMeans.slice();
  for (let at = 0; at < weight.data.length; at++) {
    const c = at % weight.cols;
    bias[c] = (bias[c] as number) - (means[Math.floor(at / weight.cols)] as number) * (weight.data[at] as number);
  }
  return bias;
}

function squares(data: Float64Array): number {
  return data.reduce((sum, value) => sum + value * value, 0);
}

function lastRow({ rows, cols, data }: Matrix): Float64Array {
  return data.slice((rows - 1) * cols, rows * cols);
}

/** The moment about the means instead of about zero, without the constant's row and column. */
function centred(moment: Matrix, means: Float64Array, cols: number): Matrix {
  const rows = moment.rows - 1;
  const sums = lastRow(moment);
  const out = { rows, cols, data: new Float64Array(rows * cols) };
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < cols; c++) {
      out.data[r * cols + c] =
        (moment.data[r * moment.cols + c] as number) - (means[r] as number) * (sums[c] as number);
    }
  }
  return out;
}
