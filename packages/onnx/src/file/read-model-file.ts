import type { Stats } from 'node:fs';
import { FileSource } from './file-source.js';
import type { NodeModules } from './node-modules.js';
import { OnnxFileError } from './onnx-file-error.js';
import { HEAD_LENGTH } from './other-formats.js';
import { checkFormat, checkLength } from './parse-model.js';

/** Bytes read at once: small enough to stop soon after an abort. */
const PIECE = 2 ** 24;

/**
 * A model file's bytes, and the file to read them from again. Its start is looked at first, so that what is no model is never loaded.
 *
 * @param node - Node's modules.
 * @param file - its path.
 * @param signal - stops the reading.
 * @throws OnnxFileError where it is missing, not a file, no model, or too large for one.
 */
export async function readModelFile(
  node: NodeModules,
  file: string,
  signal?: AbortSignal,
): Promise<{ readonly bytes: Uint8Array; readonly source: FileSource }> {
  const stats = checkRegular(
    await node.fs.promises.stat(file).catch((cause) => Promise.reject(unreadable(file, cause))),
    file,
  );
  const { size } = stats;
  const handle = await node.fs.promises.open(file, 'r').catch((cause) => Promise.reject(unreadable(file, cause)));
  try {
    const head = new Uint8Array(Math.min(size, HEAD_LENGTH));
    await handle.read(head, 0, head.byteLength, 0);
    checkFormat(head, file);
    checkLength(size, file);
    const bytes = new Uint8Array(size);
    for (let done = 0; done < size; ) {
      signal?.throwIfAborted();
      const { bytesRead } = await handle.read(bytes, done, Math.min(PIECE, size - done), done);
      if (bytesRead === 0) throw new OnnxFileError(file, 'unreadable', 'it changed while it was read', 'Try again');
      done += bytesRead;
    }
    return { bytes, source: new FileSource(node, node.fs.realpathSync(file), file, stats) };
  } finally {
    await handle.close();
  }
}

function checkRegular(stats: Stats, file: string): Stats {
  if (stats.isDirectory()) {
    throw new OnnxFileError(file, 'unreadable', 'it is a folder', 'Name the model file in it, such as model.onnx');
  }
  if (!stats.isFile()) {
    throw new OnnxFileError(file, 'unreadable', 'it is a device or a pipe', 'Save the model to a file first');
  }
  return stats;
}

function unreadable(file: string, cause: NodeJS.ErrnoException): OnnxFileError {
  const missing = cause.code === 'ENOENT' || cause.code === 'ENOTDIR';
  const what = missing ? 'there is no such file' : `it cannot be opened (${cause.code})`;
  return new OnnxFileError(file, 'unreadable', what, missing ? 'Check the path' : 'Check its permissions', { cause });
}
