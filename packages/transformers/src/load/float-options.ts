import { libraryMajor, type TransformersLibrary } from '../library/library.js';
import { ModelFolderError } from '../model-folder-error.js';
import type { LibraryOptions } from './load-options.js';

/**
 * The options of a load with the dtype made plain, fp32 unless fp16 was asked for; some versions and devices take it to be a
 * quantised one otherwise.
 *
 * @throws ModelFolderError where a quantised dtype was asked for, or in version 2 any but fp32.
 */
export function floatOptions(library: TransformersLibrary, id: string, options: LibraryOptions): LibraryOptions {
  const { dtype, quantized } = options;
  if (libraryMajor(library) === 2) {
    if (quantized === true) throw refusal(id, 'quantized: true', 'quantized: false');
    if (dtype !== undefined && dtype !== 'fp32') {
      const what = `dtype: '${dtype}' says nothing to transformers.js 2, and the swap takes the fp32 file there`;
      throw new ModelFolderError(id, 'unsupported', what, 'Leave it out, or take version 3 or 4');
    }
    return { ...options, quantized: false };
  }
  const asked = typeof dtype === 'object' && dtype !== null ? Object.values(dtype) : [dtype ?? 'fp32'];
  const other = asked.find((each) => each !== 'fp32' && each !== 'fp16');
  if (other !== undefined) throw refusal(id, `dtype: '${other}'`, "dtype: 'fp32' or 'fp16'");
  return { ...options, dtype: dtype ?? 'fp32' };
}

function refusal(id: string, asked: string, instead: string): ModelFolderError {
  const what = `${asked} asks for quantised weights, and the swap needs the fp32 or fp16 file`;
  return new ModelFolderError(id, 'not-fp32', what, `Use ${instead}, or leave it out`);
}
