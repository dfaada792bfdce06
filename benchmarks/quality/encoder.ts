import { readFile } from 'node:fs/promises';
import type { Runtime } from '../machine/runtimes.js';
import type { Encoder } from './evaluate.js';

/** The sentence encoder of a file. */
export async function openEncoder(runtime: Runtime, file: string): Promise<Encoder> {
  const session = await runtime.open(await readFile(file));
  const list = (values: readonly number[]) =>
    runtime.tensor('int64', BigInt64Array.from(values, BigInt), [1, values.length]);
  return {
    async embed(tokens) {
      const feeds = { input_ids: list(tokens), attention_mask: list(tokens.map(() => 1)) };
      const { sentence_embedding: embedding } = await session.run(feeds, ['sentence_embedding']);
      return embedding?.data as Float32Array;
    },
    release: () => session.release(),
  };
}
