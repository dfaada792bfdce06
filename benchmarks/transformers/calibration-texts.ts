import { readFile } from 'node:fs/promises';
import { readStsFile } from '../quality/sts-file.js';

/**
 * Sentences to fit on, from an STS file (`.tsv`) or a text file with one a line. They are taken from all of the file, which
 * may be sorted by kind.
 */
export async function calibrationTexts(file: string, count: number): Promise<string[]> {
  const texts = file.endsWith('.tsv')
    ? (await readStsFile(file)).flatMap(({ a, b }) => [a, b])
    : (await readFile(file, 'utf8')).split(/\r?\n/).filter((line) => line.trim() !== '');
  const unique = [...new Set(texts)];
  const step = Math.max(1, unique.length / count);
  return Array.from({ length: Math.min(count, unique.length) }, (_, i) => unique[Math.floor(i * step)] as string);
}
