import type { OnnxModel } from '../graph/model.js';
import { isInput } from './is-input.js';
import type { NodeModules } from './node-modules.js';
import { OnnxFileError } from './onnx-file-error.js';

/**
 * Checks that a file may be written.
 *
 * @param node - Node's modules.
 * @param model - the model to write there.
 * @param file - its path.
 * @param force - whether it may be there already.
 * @throws OnnxFileError where it may not be written, or is a file that the model was read from.
 */
export function checkOutput(node: NodeModules, model: OnnxModel, file: string, force: boolean): void {
  const folder = node.path.dirname(file);
  const stat = (path: string) => node.fs.statSync(path, { throwIfNoEntry: false });
  if (!stat(folder)?.isDirectory()) {
    throw new OnnxFileError(file, 'unwritable', `there is no folder ${folder}`, 'Create it first');
  }
  // A link counts by itself too: it may lead nowhere and still be in the way.
  if (node.fs.lstatSync(file, { throwIfNoEntry: false }) === undefined) return;
  if (stat(file)?.isDirectory()) {
    throw new OnnxFileError(file, 'unwritable', 'it is a folder', 'Name a file, such as model.onnx');
  }
  if (isInput(node, model, file)) {
    const what = 'it is a file that the model was read from, which stays as it is';
    throw new OnnxFileError(file, 'exists', what, 'Choose another name');
  }
  if (!force) {
    throw new OnnxFileError(
      file,
      'exists',
      'it exists already',
      'Choose another name, or give force: true (the command: --force) to replace it',
    );
  }
}
