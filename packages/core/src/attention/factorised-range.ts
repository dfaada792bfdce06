import type { Matrix } from '../float64/matrix.js';
import { FormError } from './form-error.js';
import { keyBiasProjection } from './key-bias.js';
import type { FoldedMheWeights } from './weights.js';

/** Number formats that a backend may compute in. */
export type ComputeType = 'float64' | 'float32' | 'float16';

/** Smallest number kept in full by runtimes that flush below it to zero, and half the distance from 1 to the next. */
const formats: Record<ComputeType, { readonly smallest: number; readonly rounding: number }> = {
  float64: { smallest: 2 ** -1022, rounding: 2 ** -53 },
  float32: { smallest: 2 ** -126, rounding: 2 ** -24 },
  float16: { smallest: 2 ** -14, rounding: 2 ** -11 },
};

/**
 * How far the numbers `c` of a head (see `attendFactorisedMhe`) may lie apart within a sequence.
 *
 * With `R = max c - min c` every factor `exp(c - max c)` is at least `exp(-R)`, and a row of probabilities sums to 1, so
 * a denominator is at least `exp(-R)`. A product that underflows loses less than the smallest number `u`, as does a
 * probability, so `N` keys lose at most `2 N u exp(R)` of the result, however far the scores themselves lie apart. The
 * limit is the `R` at which this reaches the rounding error of one operation: 58 for float32 and 100,000 keys, below 0
 * (never safe) for float16 and more than 4 keys.
 *
 * @param keys - the longest sequence of keys. Default 65,536.
 */
export function factorisedRangeLimit(type: ComputeType, keys = 65_536): number {
  const { smallest, rounding } = formats[type];
  return Math.log(rounding / (2 * keys * smallest));
}

/**
 * The largest range of `c` over the heads and over sequences that were seen.
 *
 * @param sequences - the key streams, `[keys, keyDim]` each.
 */
export function measureKeyBiasRange(weights: FoldedMheWeights, sequences: Iterable<Matrix>): number {
  const columns = keyBiasColumns(weights);
  let largest = 0;
  for (const { rows, cols, data } of sequences) {
    for (const column of columns) {
      let high = Number.NEGATIVE_INFINITY;
      let low = Number.POSITIVE_INFINITY;
      for (let row = 0; row < rows; row++) {
        const bias = dot(data.subarray(row * cols, (row + 1) * cols), column);
        high = Math.max(high, bias);
        low = Math.min(low, bias);
      }
      largest = Math.max(largest, high - low);
    }
  }
  return largest;
}

/**
 * A range of `c` that no sequence passes whose key inputs lie within this Euclidean distance of each other. After a
 * LayerNorm with gain `g` over `m` features that is `2 sqrt(m) max |g|`.
 */
export function boundKeyBiasRange(weights: FoldedMheWeights, largestDistance: number): number {
  return Math.max(...keyBiasColumns(weights).map((column) => largestDistance * Math.sqrt(dot(column, column))));
}

/**
 * Makes sure that the factorised form loses nothing to underflow.
 *
 * @param range - of `c`, measured or bounded.
 * @throws FormError when the range passes the limit.
 */
export function checkFactorisedRange(range: number, type: ComputeType, keys?: number): void {
  const limit = factorisedRangeLimit(type, keys);
  if (range <= limit) return;
  throw new FormError(
    'factorised',
    `the heads' key biases spread over ${range.toFixed(1)}, and ${type} is safe up to ${Math.max(0, limit).toFixed(1)}; use the folded form`,
  );
}

function keyBiasColumns(weights: FoldedMheWeights): Float64Array[] {
  const heads = Array.from({ length: weights.numHeads }, (_, head) => head);
  const { rows, cols, data } = keyBiasProjection(weights, heads).weight;
  return heads.map((head) => Float64Array.from({ length: rows }, (_, row) => data[row * cols + head] as number));
}

function dot(a: Float64Array, b: Float64Array): number {
  return a.reduce((sum, x, i) => sum + x * (b[i] as number), 0);
}
