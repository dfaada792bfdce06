import { readFile } from 'node:fs/promises';
import type { Tokenizer } from '@mhe/example-sentence-encoder';
import { readStsFile } from './sts-file.js';

/** A pair of sentences, tokenised or text, and how alike people find them. */
export interface SentencePair<Sentence = readonly number[]> {
  readonly a: Sentence;
  readonly b: Sentence;
  readonly score: number;
}

/**
 * Tokenised pairs: JSON Lines with `a`, `b` and `score`, tokenised already, or a tab-separated STS file.
 *
 * @param tokenizer - asked for only where the file holds text.
 */
export async function readPairs(file: string, tokenizer: () => Promise<Tokenizer>): Promise<SentencePair[]> {
  if (!file.endsWith('.jsonl')) {
    const tokenize = await tokenizer();
    return (await readStsFile(file)).map(({ a, b, score }) => ({ a: tokenize(a), b: tokenize(b), score }));
  }
  const lines = (await readFile(file, 'utf8')).trim().split('\n');
  return lines.map((line) => JSON.parse(line) as SentencePair);
}
