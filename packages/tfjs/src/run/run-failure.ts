import { getBackend } from '@tensorflow/tfjs-core';

/**
 * What TensorFlow.js threw over a model, as one line.
 *
 * @param name - of the model.
 * @param what - what it was to do: `load` or `run`.
 */
export function runFailure(name: string, what: string, cause: unknown): Error {
  const reason = (cause instanceof Error ? cause.message : String(cause)).trim().replace(/\s+/g, ' ');
  return new Error(`TensorFlow.js (${getBackend()}) cannot ${what} ${name}: ${reason}`, { cause });
}
