import { checkOptionNames, type InspectOptions, readModel } from '@mhe/onnx';
import { chooseFiles } from './choose-files.js';
import type { DownloadedFolder } from './download-folder.js';
import { type InspectedFile, inspectedFile } from './inspected-file.js';
import { folderOf, type ModelFile, readFolder, requireNode } from './model-folder.js';

/** What `inspectFolder` may be told. */
export interface FolderInspectOptions extends InspectOptions {
  /** Which files, by the names that transformers.js has for them (`text_model`). Default: all that are not quantised, in one dtype each. */
  readonly files?: 'all' | readonly string[];
  readonly signal?: AbortSignal;
}

/** The names of {@link FolderInspectOptions}. */
export const INSPECT_OPTIONS = ['files', 'signal', 'numHeads'];

/** A model's files and what is in them. */
export interface FolderInspection {
  /** As in `config.json`: `bert`. */
  readonly modelType: string;
  /** All `.onnx` files of a folder, also those of other dtypes; of another model, those that were loaded. */
  readonly files: readonly ModelFile[];
  /** The attention of the files asked for. */
  readonly inspected: readonly InspectedFile[];
}

/**
 * Finds the attention in the model files of a folder of transformers.js, without running them. In Node.
 *
 * @param from - the folder that holds `config.json` and `onnx/`, or what `downloadFolder` brought.
 * @throws ModelFolderError where it is no such folder or a file asked for is missing or not fp32; OnnxFileError where a file
 *   is damaged; RangeError where `numHeads` disagrees with a graph.
 */
export async function inspectFolder(
  from: string | DownloadedFolder,
  options: FolderInspectOptions = {},
): Promise<FolderInspection> {
  checkOptionNames(options, INSPECT_OPTIONS);
  const { files: names = 'all', signal, ...finding } = options;
  const node = requireNode(folderOf(from));
  const model = await readFolder(node, from);
  const inspected: InspectedFile[] = [];
  for (const file of chooseFiles(model, names)) {
    const read = await readModel(node.path.join(model.folder, file.path), signal ? { signal } : {});
    inspected.push(inspectedFile(file, read, finding));
  }
  const { modelType, files } = model;
  return { modelType, files, inspected };
}
