import { ModelFolderError } from '../model-folder-error.js';
import { splitPath } from '../split-path.js';
import { checkFp32Name } from './check-fp32.js';
import type { ModelFile, ModelFolder } from './model-folder.js';
import { ONNX_FOLDER } from './model-folder.js';

/**
 * The files of a folder to work on: all of fp32, or those named, in the folder's order.
 *
 * @param names - `'all'`, or names as transformers.js has them, without ending: `text_model`.
 * @throws ModelFolderError where a file is missing or not fp32, or there is none in fp32.
 */
export function chooseFiles(
  { folder, files }: Pick<ModelFolder, 'folder' | 'files'>,
  names: 'all' | readonly string[],
): ModelFile[] {
  const held = files.map(({ path }) => splitPath(path).name).join(', ');
  if (names === 'all') {
    const chosen = files.filter(({ dtype }) => dtype === 'fp32');
    if (chosen.length > 0) return chosen;
    const what = `it has no fp32 file (${ONNX_FOLDER}/ holds ${held}), and the swap needs one`;
    throw new ModelFolderError(folder, 'not-fp32', what, 'Download or export the fp32 file, such as onnx/model.onnx');
  }
  const wanted = names.map((name) => `${ONNX_FOLDER}/${name.replace(/\.onnx$/, '')}.onnx`);
  for (const path of wanted) {
    if (!files.some((file) => file.path === path)) {
      throw new ModelFolderError(folder, 'unreadable', `it has no ${path}`, `${ONNX_FOLDER}/ holds ${held}`);
    }
    checkFp32Name(path);
  }
  return files.filter(({ path }) => wanted.includes(path));
}
