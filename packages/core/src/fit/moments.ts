import type { Matrix } from '../float64/matrix.js';

/**
 * What calibration inputs tell the fit: along which directions the inputs of an attention block really vary. Each may be
 * a sum over all positions or a mean, in float32 or better. One that is missing counts every direction alike.
 */
export interface FitMoments {
  /**
   * Second moment of `[x, 1]`, `x` the input of the query projection: `[queryDim + 1, queryDim + 1]`, the last diagonal
   * element being the number of positions (1 for a mean).
   */
  readonly query?: Matrix;
  /**
   * Covariance of `x`, the input of the key projection, within each sequence (its own mean taken off), over all
   * sequences: `[keyDim, keyDim]`. What is the same for all keys of a sequence cancels in softmax.
   */
  readonly key?: Matrix;
  /**
   * Second moment of `[x, 1]`, `x` the input of the key projection: `[keyDim + 1, keyDim + 1]`. Read instead of `key` where
   * queries and keys are rotated by position: what is the same for all keys does not cancel then.
   */
  readonly keyInput?: Matrix;
  /**
   * Second moment of `[a, 1]`, `a` being what the value projection reads once the attention of a head has mixed it
   * (probabilities times `x`), over all positions and heads: `[valueDim + 1, valueDim + 1]`.
   */
  readonly attended?: Matrix;
}

/** The moments by name. */
export type MomentName = keyof FitMoments;
