import type { OnnxModel } from '../graph/model.js';
import { externalLocation, isExternal } from '../tensor/external-range.js';
import { FileSource } from './file-source.js';
import { forEachTensor } from './map-tensors.js';
import type { NodeModules } from './node-modules.js';
import { OnnxFileError } from './onnx-file-error.js';
import { readModelFile } from './open-file.js';
import { parseModel } from './parse-model.js';

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
    throw new OnnxFileError(file, 'exists', 'it exists already', 'Choose another name, or use force to replace it');
  }
}

/**
 * The data file that replacing a model by one without external data would leave behind: there, read by the model that
 * is replaced, and no input of the new one. `null` where there is none.
 */
export async function orphanData(
  node: NodeModules,
  model: OnnxModel,
  path: string,
  dataPath: string,
): Promise<string | null> {
  const isFile = (file: string) => node.fs.statSync(file, { throwIfNoEntry: false })?.isFile() ?? false;
  if (!isFile(path) || !isFile(dataPath) || isInput(node, model, dataPath)) return null;
  let isRead = false;
  try {
    forEachTensor(parseModel(await readModelFile(node, path), path), (tensor) => {
      isRead ||= isExternal(tensor) && externalLocation(tensor, model) === node.path.basename(dataPath);
    });
  } catch {
    // What is replaced is no model, so nothing is known of the file beside it.
    return null;
  }
  return isRead ? dataPath : null;
}

function isInput(node: NodeModules, model: OnnxModel, file: string): boolean {
  const identity = (path: string) => {
    const stats = node.fs.statSync(path, { throwIfNoEntry: false, bigint: true });
    return stats && `${stats.dev}:${stats.ino}`;
  };
  const sources = [...model.externalData.values()].filter((source) => source instanceof FileSource);
  const own = identity(file);
  return own !== undefined && [model.name, ...sources.map(({ path }) => path)].some((path) => identity(path) === own);
}
