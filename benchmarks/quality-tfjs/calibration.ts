import { readFile } from 'node:fs/promises';
import type { Tokenizer } from '@mhe/example-sentence-encoder';

/** Tokenised sentences: JSON Lines with `input_ids`, or plain text, a sentence a line. */
export async function readCalibration(file: string, tokenize: Tokenizer, count: number): Promise<number[][]> {
  const lines = (await readFile(file, 'utf8')).split('\n').filter((line) => line.trim() !== '');
  return lines
    .slice(0, count)
    .map((line) =>
      line.startsWith('{') ? (JSON.parse(line) as { input_ids: [number[]] }).input_ids[0] : tokenize(line),
    );
}
