import { embed, load } from '@mhe/example-sentence-encoder';
import { startBar } from '@mhe/example-terminal/progress';
import type { TfjsModel } from '@mhe/tfjs';

/** What one model makes of sentence pairs. */
export interface Likeness {
  /** Cosine of each pair's embeddings. */
  readonly cosines: readonly number[];
  /** Mean cosine of its embeddings to those of the first model. */
  readonly likeFirst: number;
  /** Median time of a sentence. */
  readonly milliseconds: number;
}

/** A pair of tokenised sentences. */
export type TokenPair = readonly [readonly number[], readonly number[]];

/**
 * Embeds both sentences of every pair with every model, several times, one model after the other before the next
 * sentence's turn, so that whatever else the machine does meets them all alike.
 */
export async function measureLikeness(
  models: readonly TfjsModel[],
  pairs: readonly TokenPair[],
  rounds: number,
): Promise<Likeness[]> {
  const runs = [];
  for (const model of models) {
    const loaded = await load(model);
    await embed(loaded, pairs[0]?.[0] ?? []);
    runs.push({ loaded, embeddings: [] as Float32Array[], durations: [] as number[] });
  }
  const sentences = pairs.flat();
  const bar = startBar('Embedding the pairs', rounds * sentences.length);
  for (let round = 0; round < rounds; round++) {
    for (const sentence of sentences) {
      for (const { loaded, embeddings, durations } of runs) {
        const start = performance.now();
        const embedding = await embed(loaded, sentence);
        durations.push(performance.now() - start);
        if (round === 0) embeddings.push(embedding);
      }
      bar.increment();
    }
  }
  bar.stop();
  for (const { loaded } of runs) loaded.dispose();
  const first = runs[0]?.embeddings ?? [];
  return runs.map(({ embeddings, durations }) => ({
    cosines: pairs.map((_, pair) => dot(embeddings[2 * pair], embeddings[2 * pair + 1])),
    likeFirst: embeddings.reduce((sum, embedding, i) => sum + dot(embedding, first[i]), 0) / embeddings.length,
    milliseconds: durations.sort((a, b) => a - b)[durations.length >> 1] ?? Number.NaN,
  }));
}

/** The cosine, as embeddings have unit length. */
function dot(a: Float32Array = new Float32Array(), b: Float32Array = new Float32Array()): number {
  return a.reduce((sum, x, i) => sum + x * (b[i] ?? Number.NaN), 0);
}
