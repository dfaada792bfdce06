import { median } from '../machine/median.js';
import type { SentencePair } from './sentences.js';
import { spearman } from './spearman.js';

/** A model in a runtime, which reads tokens, or text where it brings its tokenizer along. */
export interface Encoder<Sentence = readonly number[]> {
  /** Turns a sentence into a vector of unit length. */
  embed(sentence: Sentence): Promise<Float32Array>;
  release(): Promise<void>;
}

/** How an evaluation goes on. */
export interface EvaluateOptions {
  /**
   * How many pairs a model embeds before the next one's turn. More of them let a model keep the processor's caches, as it
   * does where it is the only one. Default 1.
   */
  readonly pairsATurn?: number;
  /** Told after each turn of all models how many pairs are done. */
  readonly onProgress?: (pairs: number) => void;
  readonly signal?: AbortSignal;
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
 * Embeds every sentence with every model, one model after the other before the next sentences' turn, so that whatever
 * else the machine does meets them all alike.
 *
 * @param encoders - the first is what the others are compared with. They are released at the end.
 */
export async function evaluate<Sentence>(
  encoders: readonly Encoder<Sentence>[],
  pairs: readonly SentencePair<Sentence>[],
  options: EvaluateOptions = {},
): Promise<Evaluation[]> {
  const { pairsATurn = 1, onProgress, signal } = options;
  const runs = [];
  for (const encoder of encoders) {
    for (const { a } of pairs.slice(0, 1)) await encoder.embed(a);
    runs.push({ encoder, cosines: [] as number[], likeFirst: 0, durations: [] as number[] });
  }
  for (let start = 0; start < pairs.length; start += pairsATurn) {
    const turn = pairs.slice(start, start + pairsATurn);
    let first: readonly Float32Array[] | undefined;
    for (const run of runs) {
      signal?.throwIfAborted();
      const embeddings: Float32Array[] = [];
      for (const sentence of turn.flatMap(({ a, b }) => [a, b])) {
        const begin = performance.now();
        embeddings.push(await run.encoder.embed(sentence));
        run.durations.push(performance.now() - begin);
      }
      first ??= embeddings;
      for (const [i, embedding] of embeddings.entries()) {
        if (i % 2 === 0) run.cosines.push(cosine(embedding, embeddings[i + 1] as Float32Array));
        run.likeFirst += cosine(embedding, first[i] as Float32Array) / (2 * pairs.length);
      }
    }
    onProgress?.(start + turn.length);
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
