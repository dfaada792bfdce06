import { ModelFolderError } from '../model-folder-error.js';
import { splitPath } from '../split-path.js';
import { checkFileOptions } from './check-file-options.js';
import { checkFloatName } from './check-floats.js';
import { type Dtype, fileKind, fileName } from './dtype.js';
import type { ModelFile, ModelFolder } from './model-folder.js';
import { ONNX_FOLDER } from './model-folder.js';

/**
 * The files of a folder to work on, in the folder's order: of all that are not quantised, those of the dtypes asked for, or
 * those named.
 *
 * @param names - `'all'`, or names as transformers.js has them, without ending: `text_model`, `model_fp16`.
 * @param dtypes - `null`: fp32, and fp16 of what has no fp32 file.
 * @throws RangeError where `names` or `dtypes` is no such list; ModelFolderError where a file is missing or quantised, or there is none of a dtype.
 */
export function chooseFiles<File extends Pick<ModelFile, 'path' | 'base' | 'dtype'>>(
  { folder, files }: Pick<ModelFolder, 'folder'> & { readonly files: readonly File[] },
  names: 'all' | readonly string[],
  dtypes: readonly Dtype[] | null = null,
): File[] {
  checkFileOptions(names, dtypes);
  const held = `${ONNX_FOLDER}/ holds ${files.map(({ path }) => splitPath(path).name).join(', ')}`;
  const find = (base: string, dtype: Dtype) => files.find((file) => file.base === base && file.dtype === dtype);
  const named = (base: string, dtype: Dtype): File => {
    const path = `${ONNX_FOLDER}/${fileName({ base, dtype })}`;
    checkFloatName(path);
    const file = find(base, dtype);
    if (file !== undefined) return file;
    const made = dtype === 'fp16' ? ', or convert the swapped file to it' : '';
    throw new ModelFolderError(folder, 'unreadable', `it has no ${path}`, `Name another: ${held}${made}`);
  };
  const plain = (base: string) => find(base, 'fp32') ?? find(base, 'fp16');
  const kinds = names === 'all' ? files.map(({ base }) => ({ base, dtype: null })) : names.map(kindOf);
  const chosen = kinds.flatMap(({ base, dtype }) => {
    if (dtype !== null) return [named(base, dtype)];
    if (dtypes !== null) return dtypes.map((each) => named(base, each));
    return plain(base) ?? (names === 'all' ? [] : [named(base, 'fp32')]);
  });
  if (chosen.length === 0) {
    const what = `it has no fp32 or fp16 file (${held}), and the swap needs one`;
    throw new ModelFolderError(folder, 'not-fp32', what, 'Download or export the fp32 file, such as onnx/model.onnx');
  }
  return files.filter((file) => chosen.includes(file));
}

/** What a name without ending asks for; `null` where it does not say the dtype. */
function kindOf(name: string): { base: string; dtype: Dtype | null } {
  const { base, dtype } = fileKind(name);
  return { base, dtype: dtype === 'fp32' ? null : dtype };
}
