import { median } from '../machine/median.js';
import type { SentencePair } from './sentences.js';
import { spearman } from './spearman.js';

/** A model in a runtime. */
export interface Encoder {
  /** Turns a tokenised sentence into a vector of unit length. */
  embed(tokens: readonly number[]): Promise<Float32Array>;
  release(): Promise<void>;
}

/** What one model makes of the sentence pairs in one runtime. */
export interface Evaluation {
  /** Rank correlation of the cosine of a pair with what people say. */
  readonly spearman: number;
  /** Mean cosine to the embeddings of the first model. */
  readonly likeFirst: number;
  /** Median time of a sentence. */
  readonly milliseconds: number;
}

/**
 * Embeds every sentence with every model, one model after the other before the next sentence's turn, so that whatever
 * else the machine does meets them all alike.
 *
 * @param encoders - the first is what the others are compared with. They are released at the end.
 */
export async function evaluate(encoders: readonly Encoder[], pairs: readonly SentencePair[]): Promise<Evaluation[]> {
  const runs = [];
  for (const encoder of encoders) {
    await encoder.embed(pairs[0]?.a ?? []);
    runs.push({ encoder, cosines: [] as number[], likeFirst: 0, durations: [] as number[] });
  }
  for (const pair of pairs) {
    let first: readonly Float32Array[] | undefined;
    for (const run of runs) {
      const embeddings: Float32Array[] = [];
      for (const tokens of [pair.a, pair.b]) {
        const start = performance.now();
        embeddings.push(await run.encoder.embed(tokens));
        run.durations.push(performance.now() - start);
      }
      const [a, b] = embeddings as [Float32Array, Float32Array];
      run.cosines.push(cosine(a, b));
      first ??= embeddings;
      const [firstA, firstB] = first as [Float32Array, Float32Array];
      run.likeFirst += (cosine(a, firstA) + cosine(b, firstB)) / (2 * pairs.length);
    }
  }
  for (const encoder of encoders) await encoder.release();
  const scores = pairs.map(({ score }) => score);
  return runs.map(({ cosines, likeFirst, durations }) => ({
    spearman: spearman(cosines, scores),
    likeFirst,
    milliseconds: median(durations),
  }));
}

/** Cosine of vectors of unit length. */
function cosine(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, x, i) => sum + x * (b[i] as number), 0);
}
