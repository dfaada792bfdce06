import type { OutputMoments } from '../fit/output.js';
import type { Matrix } from '../float64/matrix.js';

/**
 * Output moments with their rows and columns in the order of the heads.
 *
 * @param moments - in the order of the output projection's features, a 1 after them.
 * @param features - `head * valueHeadDim + feature` of each of these.
 */
export function inHeadOrder({ features: heads, targets }: OutputMoments, features: Int32Array): OutputMoments {
  const place = [...features, features.length];
  const ordered = new Float64Array(heads.data.length);
  const orderedTargets = new Float64Array(targets.data.length);
  for (let r = 0; r < heads.rows; r++) {
    const row = place[r] as number;
    for (let c = 0; c < heads.cols; c++)
      ordered[row * heads.cols + (place[c] as number)] = heads.data[r * heads.cols + c] as number;
    orderedTargets.set(targets.data.subarray(r * targets.cols, (r + 1) * targets.cols), row * targets.cols);
  }
  const as = (matrix: Matrix, data: Float64Array): Matrix => ({ ...matrix, data });
  return { features: as(heads, ordered), targets: as(targets, orderedTargets) };
}
