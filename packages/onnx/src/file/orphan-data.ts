import type { OnnxModel } from '../graph/model.js';
import { externalLocation, isExternal } from '../tensor/external-range.js';
import { isInput } from './is-input.js';
import { forEachTensor } from './map-tensors.js';
import type { NodeModules } from './node-modules.js';
import { parseModel } from './parse-model.js';
import { readModelFile } from './read-model-file.js';

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
    forEachTensor(parseModel((await readModelFile(node, path)).bytes, path), (tensor) => {
      isRead ||= isExternal(tensor) && externalLocation(tensor, model) === node.path.basename(dataPath);
    });
  } catch {
    // What is replaced is no model, so nothing is known of the file beside it.
    return null;
  }
  return isRead ? dataPath : null;
}
