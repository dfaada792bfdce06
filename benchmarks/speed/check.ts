import { float64Port, float64Tensor, mha, scaleRule } from '@mhe/core';
import { layer } from './layer.js';
import type { Variant } from './variants.js';

/** Rows of the output that are checked; a query row does not depend on the others, so a few show errors as well as all. */
const CHECKED_ROWS = 8;

/** Largest difference that float32 explains, relative to the largest output. */
const TOLERANCE = 2e-5;

/**
 * Compares an output with the definition of attention in float64.
 *
 * @param input - `[sequence, modelDim]`.
 * @param output - of the same dimensions.
 * @throws Error where they differ by more than rounding.
 */
export function checkOutput(variant: Variant, where: string, input: Float32Array, output: Float32Array): void {
  const { modelDim } = layer;
  const size = CHECKED_ROWS * modelDim;
  const stream = float64Tensor(Float64Array.from(input), [1, input.length / modelDim, modelDim]);
  const rows = float64Tensor(Float64Array.from(input.subarray(0, size)), [1, CHECKED_ROWS, modelDim]);
  const { reference } = variant;
  const inputs = { query: rows, key: stream, value: stream };
  const expected = mha(float64Port, reference, inputs, scaleRule(float64Port, reference.scale)).data;
  const largest = expected.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  const difference = expected.reduce((most, x, i) => Math.max(most, Math.abs(x - (output[i] ?? Number.NaN))), 0);
  if (difference / largest <= TOLERANCE) return;
  throw new Error(
    `${variant.name} in ${where}: differs from the reference by ${(difference / largest).toExponential(1)}`,
  );
}
