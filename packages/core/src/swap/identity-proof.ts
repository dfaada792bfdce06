/** As many calibration inputs prove the identity swap, and the range of the key biases. */
export const PROBED_FEEDS = 4;

/**
 * Largest difference of an identity swap by the type that a block computes in, relative to the block's largest output: a
 * product of a few hundred terms, rounded in another order.
 */
export const IDENTITY_TOLERANCE = { float64: 1e-10, float32: 2e-5, float16: 2e-2, bfloat16: 1e-1 } as const;
