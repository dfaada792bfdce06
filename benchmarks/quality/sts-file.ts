import { readFile } from 'node:fs/promises';
import type { SentencePair } from './sentences.js';

/** Places of score and sentences in a line of STS-B as it is published. */
const SCORE = 4;
const SENTENCES = [5, 6] as const;

/**
 * The pairs of a tab-separated STS file: genre, file, year, id, score, sentence, sentence; lines may have more.
 *
 * @throws Error naming the line that has no score or sentence.
 */
export async function readStsFile(file: string): Promise<SentencePair<string>[]> {
  const lines = (await readFile(file, 'utf8')).split('\n').map((line) => line.replace(/\r$/, ''));
  return lines.flatMap((line, i) => {
    if (line === '') return [];
    const fields = line.split('\t');
    const score = Number(fields[SCORE] || Number.NaN);
    const [a, b] = SENTENCES.map((place) => fields[place]);
    if (Number.isNaN(score) || !a || !b) {
      throw new Error(`${file}, line ${i + 1}: a score and two sentences are expected in columns 5 to 7`);
    }
    return [{ a, b, score }];
  });
}
