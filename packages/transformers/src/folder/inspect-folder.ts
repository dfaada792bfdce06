import { type Inspection, type InspectOptions, inspect, readModel } from '@mhe/onnx';
import { chooseFiles } from './choose-files.js';
import { type ModelFile, readFolder, requireNode } from './model-folder.js';

/** What `inspectFolder` may be told. */
export interface FolderInspectOptions extends InspectOptions {
  /** Which files, by the names that transformers.js has for them (`text_model`). Default: all in fp32. */
  readonly files?: 'all' | readonly string[];
  readonly signal?: AbortSignal;
}

/** A file of a folder and what is in it. */
export interface InspectedFile {
  readonly file: ModelFile;
  readonly inspection: Inspection;
}

/** A folder and what is in it. */
export interface FolderInspection {
  /** As in `config.json`: `bert`. */
  readonly modelType: string;
  /** All `.onnx` files, also those of other dtypes. */
  readonly files: readonly ModelFile[];
  /** The attention of the files asked for. */
  readonly inspected: readonly InspectedFile[];
}

/**
 * Finds the attention in the model files of a folder of transformers.js, without running them. In Node.
 *
 * @param folder - the folder that holds `config.json` and `onnx/`.
 * @throws ModelFolderError where it is no such folder or a file asked for is missing or not fp32; OnnxFileError where a file
 *   is damaged; RangeError where `numHeads` disagrees with a graph.
 */
export async function inspectFolder(folder: string, options: FolderInspectOptions = {}): Promise<FolderInspection> {
  const { files: names = 'all', signal, ...finding } = options;
  const node = requireNode(folder);
  const { modelType, files, ...rest } = await readFolder(node, folder);
  const inspected: InspectedFile[] = [];
  for (const file of chooseFiles({ modelType, files, ...rest }, names)) {
    const model = await readModel(node.path.join(folder, file.path), signal ? { signal } : {});
    inspected.push({ file, inspection: inspect(model, finding) });
  }
  return { modelType, files, inspected };
}
