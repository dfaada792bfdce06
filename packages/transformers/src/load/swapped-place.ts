import { digest } from '../calibration/digest.js';
import type { TransformersLibrary } from '../library/library.js';
import { libraryMajor } from '../library/library.js';
import { ModelFolderError } from '../model-folder-error.js';
import { type OptionsRecord, recordOptions } from '../options-record.js';
import { splitPath } from '../split-path.js';
import type { ReadOptions } from '../swap-file.js';
import type { LibraryOptions } from './load-options.js';

/** Counts up whenever the same options would give another model. */
const FORMAT = 2;

/** The name of the folder, beside the original's files, that has those swapped with certain options. */
export async function swappedFolderName(id: string, options: ReadOptions): Promise<string> {
  if (typeof options.sites === 'function') {
    const what = 'sites is a function, which cannot tell one cached model from another';
    throw new ModelFolderError(id, 'unsupported', what, 'Give numbers or a regular expression, or use swapFolder');
  }
  const record: OptionsRecord = await recordOptions(options);
  return `mhe-${(await digest([JSON.stringify([FORMAT, record])])).slice(0, 16)}`;
}

/** The path of the swapped file that stands for `file`. */
export function swappedPath(file: string, folderName: string): string {
  const { folder, name } = splitPath(file);
  return [folder, folderName, name].filter((part) => part !== '').join('/');
}

/**
 * The options that make the library load swapped files in place of the original's: versions 3 and 4 have an option for the
 * folder; version 2 has one for the name of the file, which may lead into a folder.
 *
 * @param files - the `.onnx` files that the model consists of.
 * @throws ModelFolderError where version 2 loads several files, for which it has no such option.
 */
export function optionsForSwapped(
  library: TransformersLibrary,
  id: string,
  options: LibraryOptions,
  files: readonly string[],
  folderName: string,
): LibraryOptions {
  if (libraryMajor(library) > 2) {
    return { ...options, subfolder: swappedPath(`${options.subfolder ?? 'onnx'}/`, folderName).replace(/\/$/, '') };
  }
  const [file] = files;
  if (file === undefined || files.length > 1) {
    const what = `transformers.js 2 has no option to load ${files.length} files from another place`;
    throw new ModelFolderError(
      id,
      'unsupported',
      what,
      'Swap the model offline with swapFolder, or use version 3 or 4',
    );
  }
  return { ...options, model_file_name: `${folderName}/${splitPath(file).name.replace(/\.onnx$/, '')}` };
}
