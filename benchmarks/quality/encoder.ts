import type { OrtSession } from '@mhe/onnx';
import type { Runtime } from '../machine/runtimes.js';

/** Turns a tokenised sentence into a vector of unit length. */
export async function embed(runtime: Runtime, session: OrtSession, tokens: readonly number[]): Promise<Float32Array> {
  const list = (values: readonly number[]) =>
    runtime.tensor('int64', BigInt64Array.from(values, BigInt), [1, values.length]);
  const feeds = { input_ids: list(tokens), attention_mask: list(tokens.map(() => 1)) };
  const { sentence_embedding: embedding } = await session.run(feeds, ['sentence_embedding']);
  return embedding?.data as Float32Array;
}

/** Cosine of vectors of unit length. */
export function cosine(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, x, i) => sum + x * (b[i] as number), 0);
}
