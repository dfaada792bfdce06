import { flooredCholesky } from '../float64/floored-cholesky.js';
import type { Matrix } from '../float64/matrix.js';
import { transposedTriangleProduct } from '../float64/product.js';
import { solveTransposed } from '../float64/triangular-solve.js';

/**
 * How much an error in each direction of an input costs: multiplied by the square root of a moment, weights are compared
 * by the size of what they compute.
 */
export interface Weighting {
  /** The mean input, or `null` for zero: `[dim]`. */
  readonly mean: Float64Array | null;
  /** Lower triangular `L`, `L L^T` the input's covariance (its second moment where `mean` is null); `null` for `I`. */
  readonly root: Matrix | null;
}

/** Every direction alike. */
export const EVEN: Weighting = { mean: null, root: null };

/** Directions that calibration never saw still count this much, of the mean, so that the root can be undone. */
const FLOOR = 1e-8;

/** From a covariance, or a second moment about zero. */
export function secondMomentWeighting(moment: Matrix): Weighting {
  return { mean: null, root: flooredCholesky(moment, FLOOR).lower };
}

/** From the second moment of `[x, 1]`, sum or mean: the mean and the covariance of `x`. */
export function affineWeighting(moment: Matrix): Weighting {
  const { count, mean, secondMoment } = split(moment);
  const { rows: dim, data } = secondMoment;
  for (let r = 0; r < dim; r++) {
    for (let c = 0; c < dim; c++) {
      data[r * dim + c] = (data[r * dim + c] as number) / count - (mean[r] as number) * (mean[c] as number);
    }
  }
  return { mean, root: flooredCholesky(secondMoment, FLOOR).lower };
}

/** The same, leaving the constant out: for projections without a bias. */
export function linearWeighting(moment: Matrix): Weighting {
  return secondMomentWeighting(split(moment).secondMoment);
}

/** `L^T W` for the columns of a weight. */
export function weigh({ root }: Weighting, weight: Matrix): Matrix {
  return root ? transposedTriangleProduct(root, weight) : weight;
}

/** `L^-T W`, the way back. */
export function unweigh({ root }: Weighting, weighted: Matrix): Matrix {
  return root ? solveTransposed(root, weighted) : weighted;
}

/** What the mean input gives: `mean W`, zero where there is none. */
export function throughMean({ mean }: Weighting, weight: Matrix): Float64Array {
  const out = new Float64Array(weight.cols);
  if (!mean) return out;
  for (let r = 0; r < weight.rows; r++) {
    for (let c = 0; c < weight.cols; c++) {
      out[c] = (out[c] as number) + (mean[r] as number) * (weight.data[r * weight.cols + c] as number);
    }
  }
  return out;
}

function split({ rows, data }: Matrix): { count: number; mean: Float64Array; secondMoment: Matrix } {
  const dim = rows - 1;
  const count = data[dim * rows + dim] as number;
  const secondMoment = { rows: dim, cols: dim, data: new Float64Array(dim * dim) };
  for (let r = 0; r < dim; r++) secondMoment.data.set(data.subarray(r * rows, r * rows + dim), r * dim);
  return { count, mean: data.slice(dim * rows, dim * rows + dim).map((sum) => sum / count), secondMoment };
}
