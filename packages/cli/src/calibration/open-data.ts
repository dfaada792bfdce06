import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { RawCalibration } from './calibration.js';
import { dataLine } from './data-line.js';
import { readLines } from './lines.js';

const IMAGE = /\.(avif|bmp|gif|jpe?g|png|tiff?|webp)$/i;

/**
 * Opens calibration data as people have it: a file of texts, one a line, or of JSON objects (JSON Lines), or a folder of
 * images.
 *
 * @throws Error where there is no such file or folder, no text or image in it, or a line is JSON of another kind.
 */
export async function openData(path: string): Promise<RawCalibration> {
  const stats = await stat(path).catch((cause: NodeJS.ErrnoException) => {
    const reason = cause.code === 'ENOENT' ? 'no such file or folder' : cause.message;
    throw new Error(`cannot read the calibration data ${path}: ${reason}`, { cause });
  });
  if (stats.isDirectory()) {
    const images = (await readdir(path)).filter((name) => IMAGE.test(name)).sort();
    if (images.length === 0) throw new Error(`the folder ${path} holds no image (.png, .jpg, .webp, ...)`);
    return { raw: images.map((name) => ({ image: join(path, name) })) };
  }
  const lines = [...readLines(path)].map((line) => line.replace(/^\uFEFF/, '').trim());
  const raw = lines.flatMap((line, at) => (line === '' ? [] : [dataLine(line, path, at + 1)]));
  if (raw.length === 0) throw new Error(`${path} holds no text; a text a line is expected`);
  return { raw };
}
