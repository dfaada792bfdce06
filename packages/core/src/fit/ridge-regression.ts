import { flooredCholesky } from '../float64/floored-cholesky.js';
import type { Matrix } from '../float64/matrix.js';
import { choleskySolve } from '../float64/triangular-solve.js';
import type { OutputMoments } from './output.js';

/** A projection fitted to targets, and what it was fitted with. */
export interface RidgeRegression {
  readonly weight: Matrix;
  readonly bias: Float64Array;
  /** Lower triangular `L`, `L L^T` the features' covariance, summed over positions, the ridge in it. */
  readonly root: Matrix;
  /** Positions. */
  readonly count: number;
  readonly means: Float64Array;
  readonly targetMeans: Float64Array;
}

/**
 * Minimises `|Z W + b - Y|^2 + floor |W - prior|^2` (Hoerl, Kennard 1970), from moments.
 *
 * @param ridge - `floor` as a share of the features' mean variance.
 */
export function ridgeRegression({ features, targets }: OutputMoments, prior: Matrix, ridge: number): RidgeRegression {
  const dim = prior.rows;
  const count = features.data[dim * features.cols + dim] as number;
  const means = lastRow(features).map((sum) => sum / count);
  const targetMeans = lastRow(targets).map((sum) => sum / count);
  const { lower: root, floor } = flooredCholesky(centred(features, means, dim), ridge);
  const wanted = centred(targets, means, prior.cols);
  for (let at = 0; at < wanted.data.length; at++) {
    const sum = wanted.data[at] as number;
    wanted.data[at] = sum + floor * (prior.data[at] as number);
  }
  const weight = choleskySolve(root, wanted);
  return { weight, bias: biasFor(weight, means, targetMeans), root, count, means, targetMeans };
}

/** The bias with which the mean output is the wanted one. */
export function biasFor(weight: Matrix, means: Float64Array, targetMeans: Float64Array): Float64Array {
  const bias = targetMeans.slice();
  for (let at = 0; at < weight.data.length; at++) {
    const c = at % weight.cols;
    bias[c] = (bias[c] as number) - (means[Math.floor(at / weight.cols)] as number) * (weight.data[at] as number);
  }
  return bias;
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
