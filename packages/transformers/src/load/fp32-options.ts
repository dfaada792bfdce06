import { libraryMajor, type TransformersLibrary } from '../library/library.js';
import { ModelFolderError } from '../model-folder-error.js';
import type { LibraryOptions } from './load-options.js';

/**
 * The options of a load with the dtype made plain, which some versions and devices take to be a quantised one otherwise.
 *
 * @throws ModelFolderError where another dtype than fp32 was asked for.
 */
export function fp32Options(library: TransformersLibrary, id: string, options: LibraryOptions): LibraryOptions {
  const { dtype, quantized } = options;
  if (libraryMajor(library) === 2) {
    if (quantized === true) throw refusal(id, 'quantized: true', 'quantized: false');
    return { ...options, quantized: false };
  }
  const asked = typeof dtype === 'object' && dtype !== null ? Object.values(dtype) : [dtype ?? 'fp32'];
  const other = asked.find((each) => each !== 'fp32');
  if (other !== undefined) throw refusal(id, `dtype: '${other}'`, "dtype: 'fp32'");
  return { ...options, dtype: dtype ?? 'fp32' };
}

function refusal(id: string, asked: string, instead: string): ModelFolderError {
  const what = `${asked} asks for weights that were converted already, and the swap needs the fp32 file`;
  return new ModelFolderError(id, 'not-fp32', what, `Use ${instead}, or leave it out`);
}
