import { RuntimeError } from '../run/session.js';

/** ONNX Runtime failed on the original model: on its calibration inputs, not on what a swap made of it. */
export class OriginalError extends RuntimeError {}

/** Runs something of the original model, and marks its failure as such. */
export async function ofOriginal<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw error instanceof RuntimeError ? new OriginalError(error.message, { cause: error }) : error;
  }
}
