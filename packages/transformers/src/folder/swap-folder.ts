import type { DownloadedFolder } from './download-folder.js';
import { folderOf, requireNode } from './model-folder.js';
import { type FolderSwapOptions, type SwappedFolder, swapFolderFiles } from './swap-folder-files.js';
import { checkOutputFolder } from './write-folder.js';
import { type FolderWriteOptions, type WrittenFolder, writeSwappedFolder } from './write-swapped-folder.js';

/** What a swap of a folder gives. */
export interface FolderSwapResult extends SwappedFolder {
  /** `null` where no file had attention that could be swapped; the reports of the files say why. */
  readonly written: WrittenFolder | null;
}

/**
 * Swaps the attention of a model folder of transformers.js and writes a folder that transformers.js loads with no package
 * of ours. In Node.
 *
 * Calibration inputs go through the model's own tokenizer or processor. Files of other dtypes (`model_quantized.onnx`)
 * are not taken over for a file that was swapped, as they are still the original.
 *
 * @param input - the folder that holds `config.json` and `onnx/`, or what `downloadFolder` brought; it is never changed.
 * @param output - the new folder, in a folder that exists.
 * @throws ModelFolderError where the input is no model, a file asked for is missing or not fp32, no calibration input has
 *   what a file reads, or the output may not be written; RangeError for options that do not fit; OnnxFileError for damaged
 *   files.
 */
export async function swapFolder(
  input: string | DownloadedFolder,
  output: string,
  options: FolderSwapOptions & FolderWriteOptions = {},
): Promise<FolderSwapResult> {
  const { force = false, ...rest } = options;
  const folder = folderOf(input);
  const node = requireNode(folder);
  // Otherwise reading it tells what is wrong.
  if (node.fs.existsSync(folder)) checkOutputFolder(folder, output, { force });
  const swapped = await swapFolderFiles(input, rest);
  const isAny = swapped.files.some(({ report }) => report.swapped.length > 0);
  const writing = { force, ...(rest.signal && { signal: rest.signal }) };
  return { ...swapped, written: isAny ? await writeSwappedFolder(swapped, output, writing) : null };
}
