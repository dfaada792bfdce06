import { checkOptions } from '@mhe/core';
import type { OnnxSwapOptions } from '../swap.js';

/** How ONNX Runtime is run. */
const SESSION: readonly string[] = ['runtime', 'threads', 'executionProviders'];

/**
 * Checks the options of a swap, before any work and without a model.
 *
 * @param own - the names of options that are the caller's own.
 * @throws RangeError naming the option, what it was and what it may be.
 */
export function checkSwapOptions(options: OnnxSwapOptions, own: readonly string[] = []): void {
  checkOptions(options, [...SESSION, ...own]);
}
