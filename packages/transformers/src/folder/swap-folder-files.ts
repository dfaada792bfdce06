import { type OnnxModel, type OrtRuntime, readModel, type SwapProgress, type SwapReport } from '@mhe/onnx';
import { modelEncoder } from '../calibration/encoder.js';
import { loadReader } from '../calibration/load-reader.js';
import { folderRuntime } from '../library/folder-runtime.js';
import { importLibrary } from '../library/import-library.js';
import type { TransformersLibrary } from '../library/library.js';
import { withLocalFolder } from '../library/local-folder.js';
import type { MheOptions } from '../options.js';
import { type OptionsRecord, recordOptions } from '../options-record.js';
import { readOptions, swapFile } from '../swap-file.js';
import { checkNotQuantised, checkRuns } from './check-floats.js';
import { chooseFiles } from './choose-files.js';
import type { DownloadedFolder } from './download-folder.js';
import type { Dtype } from './dtype.js';
import { encoderFileOf, encodersFirst } from './encoder-file-of.js';
import { folderOf, type ModelFile, type ModelFolder, readFolder, requireNode } from './model-folder.js';

/** Where the swap of a folder stands. */
export interface FolderProgress extends SwapProgress {
  /** The file that is being worked on: `onnx/model.onnx`. */
  readonly file: string;
}

/** Options of the swap of a folder. */
export interface FolderSwapOptions extends Omit<MheOptions, 'onProgress'> {
  /**
   * The module of transformers.js, whose tokenizers, processors and ONNX Runtime are used. Default: what the project has
   * installed.
   */
  readonly library?: TransformersLibrary;
  /** Which files, by the names that transformers.js has for them (`text_model`, `model_fp16`). Default: all. */
  readonly files?: 'all' | readonly string[];
  /**
   * Which dtypes of these, each swapped from the folder's own file of that dtype: fp32 and fp16; others are refused, with the
   * command that converts the swapped file. Default: fp32, and fp16 of what has no fp32 file.
   */
  readonly dtypes?: readonly Dtype[];
  readonly onProgress?: (progress: FolderProgress) => void;
}

/** A file whose attention was looked at, and swapped where the report says so. */
export interface SwappedFile {
  readonly file: ModelFile;
  readonly model: OnnxModel;
  readonly report: SwapReport;
}

/** A folder whose files were swapped in memory; `writeSwappedFolder` writes it. */
export interface SwappedFolder {
  readonly original: ModelFolder;
  readonly options: OptionsRecord;
  readonly files: readonly SwappedFile[];
}

/**
 * Swaps the attention of the files of a model folder, and writes nothing. In Node.
 *
 * @param from - the folder that holds `config.json` and `onnx/`, or what `downloadFolder` brought.
 * @throws as `swapFolder` does.
 */
export async function swapFolderFiles(
  from: string | DownloadedFolder,
  options: FolderSwapOptions = {},
): Promise<SwappedFolder> {
  const { library: given, files: names = 'all', dtypes = null, onProgress, ...rest } = options;
  const folder = folderOf(from);
  const node = requireNode(folder);
  const original = await readFolder(node, from);
  const chosen = chooseFiles(original, names, dtypes);
  const settings = readOptions(rest, ['library', 'files', 'dtypes']);
  const library = given ?? (await importLibrary());
  for (const { path } of chosen) checkRuns(library, path);
  const encoder = modelEncoder(library, (pretrained) =>
    loadReader(library, folder, pretrained, (reader) =>
      withLocalFolder(node, library, folder, (id, loading) => reader.from_pretrained(id, loading)),
    ),
  );
  let engine: Promise<OrtRuntime> | undefined;
  const runtime = () => {
    engine ??= folderRuntime(node, library);
    return engine;
  };
  const read = (path: string) => readModel(node.path.join(folder, path), rest.signal ? { signal: rest.signal } : {});
  let source = encoderFileOf(node, original, read);
  const swapped = new Map<ModelFile, SwappedFile>();
  for (const file of encodersFirst(chosen, (each) => each)) {
    const model = await read(file.path);
    checkNotQuantised(model);
    const progress = onProgress && {
      onProgress: (done: SwapProgress) => onProgress({ ...done, file: file.path }),
    };
    const result = await swapFile(model, { ...settings, ...progress }, encoder, runtime, source);
    if (file.path === source?.path) source = { ...source, model: async () => result.model };
    swapped.set(file, { file, ...result });
  }
  const files = chosen.map((file) => swapped.get(file) as SwappedFile);
  return { original, options: await recordOptions(settings), files };
}
