import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A pair of tokenised sentences and how alike people find them. */
export interface SentencePair {
  readonly a: readonly number[];
  readonly b: readonly number[];
  readonly score: number;
}

/** The development set of STS-B. */
export async function readPairs(folder: string): Promise<SentencePair[]> {
  const lines = await readFile(join(folder, 'sts-dev.jsonl'), 'utf8');
  return lines
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as SentencePair);
}
