import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A pair of sentences, tokenised or text, and how alike people find them. */
export interface SentencePair<Sentence = readonly number[]> {
  readonly a: Sentence;
  readonly b: Sentence;
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
