import type { OnnxModel } from '../graph/model.js';
import { checkOutput } from './check-output.js';
import { layOutModel } from './lay-out-model.js';
import { nodeModules } from './node-modules.js';
import { OnnxFileError } from './onnx-file-error.js';
import { orphanData } from './orphan-data.js';
import type { ExternalDataPolicy } from './plan-external-data.js';
import { dataPieces, messagePieces, writePieces } from './write-pieces.js';

/** How to write a model. */
export interface WriteOptions {
  /** Default `auto`. */
  readonly externalData?: ExternalDataPolicy;
  /** Whether an existing output may be replaced. Default `false`. The model's own files never are. */
  readonly force?: boolean;
  /** Stops the writing and removes what was written. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: WriteProgress) => void;
}

/** How far the writing is, in bytes of both files. */
export interface WriteProgress {
  readonly done: number;
  readonly total: number;
}

/** What was written. */
export interface WrittenModel {
  readonly path: string;
  /** Of the file with the external data, `null` where the model needs none. */
  readonly dataPath: string | null;
  /** Of both files. */
  readonly byteLength: number;
}

/**
 * Writes a model to a file, in Node.
 *
 * Tensors outside the message go into one new file, `<name>.onnx.data`, beside it; they are copied piece by piece.
 * Both files are written under temporary names in the same folder and renamed when complete, the data first, so that
 * an error or an abort leaves what was there before. The files that the model was read from are never touched. The
 * same model always gives the same bytes; tensors that nobody changed keep theirs.
 *
 * @param model - the model.
 * @param path - of the `.onnx` file, in a folder that exists.
 * @throws OnnxFileError where the output exists and `force` is not given, is one of the model's own files (`force` or
 *   not) or cannot be written, where external data is missing, or where the message would pass 2 GB.
 */
export async function writeModel(model: OnnxModel, path: string, options: WriteOptions = {}): Promise<WrittenModel> {
  const node = nodeModules(path);
  const { rename, rm } = node.fs.promises;
  const { force = false, signal } = options;
  const dataPath = `${path}.data`;
  const temporary = node.path.join(node.path.dirname(path), `.${crypto.randomUUID()}.tmp`);
  const temporaryData = `${temporary}.data`;
  const begun: string[] = [];
  try {
    signal?.throwIfAborted();
    checkOutput(node, model, path, force);
    const { message, data } = layOutModel(model, node.path.basename(dataPath), options.externalData ?? 'auto');
    const hasData = data.byteLength > 0;
    if (hasData) checkOutput(node, model, dataPath, force);
    const total = message.byteLength + data.byteLength;
    let done = 0;
    const advance = (bytes: number) => {
      done += bytes;
      options.onProgress?.({ done, total });
      signal?.throwIfAborted();
    };
    const write = (file: string, pieces: Iterable<Uint8Array>) => {
      begun.push(file);
      return writePieces(node, file, pieces, advance);
    };
    if (hasData) await write(temporaryData, dataPieces(data));
    await write(temporary, messagePieces(message));
    const orphan = hasData ? null : await orphanData(node, model, path, dataPath);
    if (hasData) await rename(temporaryData, dataPath);
    await rename(temporary, path);
    if (orphan !== null) await rm(orphan);
    return { path, dataPath: hasData ? dataPath : null, byteLength: total };
  } catch (cause) {
    throw unwritable(path, cause);
  } finally {
    for (const file of begun) await rm(file, { force: true });
  }
}

/** What the system says of an output; anything else, such as an abort, as it is. */
function unwritable(path: string, cause: unknown): unknown {
  if (!(cause instanceof Error && 'syscall' in cause && 'code' in cause)) return cause;
  const remedy = 'Check the space and the permissions of its folder';
  return new OnnxFileError(path, 'unwritable', `it cannot be written (${cause.code})`, remedy, { cause });
}
