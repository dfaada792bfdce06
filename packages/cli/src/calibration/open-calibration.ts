import { open, stat } from 'node:fs/promises';
import type { Feed } from './feed.js';
import { jsonLinesFeeds } from './json-lines.js';
import { readNpzFeeds } from './npz.js';

/**
 * Opens a calibration file, JSON Lines or NumPy's `.npz`; told apart by the first bytes, not by the name.
 *
 * @throws Error where the file is missing, a folder, empty, or of another kind.
 */
export async function openCalibration(path: string): Promise<Iterable<Feed>> {
  const start = await readStart(path);
  if (start.startsWith('PK')) return readNpzFeeds(path);
  if (start.startsWith('\x93NUMPY')) {
    throw new Error(`${path} is a single array; name it: numpy.savez("calibration.npz", input_name=array)`);
  }
  return jsonLinesFeeds(path);
}

async function readStart(path: string): Promise<string> {
  const stats = await stat(path).catch((cause: NodeJS.ErrnoException) => {
    const reason = cause.code === 'ENOENT' ? 'no such file' : cause.message;
    throw new Error(`cannot read the calibration file ${path}: ${reason}`, { cause });
  });
  if (stats.isDirectory()) throw new Error(`the calibration file ${path} is a folder`);
  if (stats.size === 0) throw new Error(`the calibration file ${path} is empty`);
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(6), 0, 6, 0);
    return buffer.toString('latin1', 0, bytesRead);
  } finally {
    await file.close();
  }
}
