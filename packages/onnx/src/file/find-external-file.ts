import type { TensorProto } from 'onnx-buf';
import { tensorError } from '../tensor/tensor-error.js';
import { FileSource } from './file-source.js';
import type { NodeModules } from './node-modules.js';
import { quoted } from './onnx-file-error.js';

/**
 * The file of a tensor's external data. Links are followed, and what they lead to must still be in the folder of the
 * model, or in the one that the model itself is linked to: model hubs' caches link both into one store.
 *
 * @param node - Node's modules.
 * @param modelPath - the model's file, as the caller named it.
 * @param location - a normalised location.
 * @param tensor - the tensor that names it, for error messages.
 * @throws OnnxFileError where there is no such file, or it is outside.
 */
export function findExternalFile(
  { fs, path }: NodeModules,
  modelPath: string,
  location: string,
  tensor: TensorProto,
): FileSource {
  const fail = (what: string, remedy: string) =>
    tensorError({ name: modelPath }, tensor, `has its data in ${quoted(location)}, ${what}`, remedy, 'external-data');
  const folder = path.dirname(path.resolve(modelPath));
  let file: string;
  try {
    file = fs.realpathSync(path.join(folder, location));
  } catch {
    throw fail('which is not there', 'Put that file into the folder of the model');
  }
  const isInside = (parent: string) => {
    const way = path.relative(parent, file);
    return way !== '..' && !way.startsWith(`..${path.sep}`) && !path.isAbsolute(way);
  };
  if (!isInside(fs.realpathSync(folder)) && !isInside(path.dirname(fs.realpathSync(modelPath)))) {
    throw fail("a link that leads out of the model's folder", 'Copy the data there in its place');
  }
  const stats = fs.statSync(file);
  if (!stats.isFile()) throw fail('which is not a file', 'Put the data there in its place');
  return new FileSource({ fs, path }, file, path.join(path.dirname(modelPath), location), stats);
}
