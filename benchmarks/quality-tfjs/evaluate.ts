import { embed, load } from '@mhe/example-sentence-encoder';
import type { TfjsModel } from '@mhe/tfjs';
import { median } from '../machine/median.js';
import { cosine } from '../quality/encoder.js';
import { spearman } from '../quality/spearman.js';
import type { SentencePair } from './sentences.js';

/** What one model makes of the sentence pairs. */
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
 * @param models - the first is what the others are compared with.
 */
export async function evaluate(models: readonly TfjsModel[], pairs: readonly SentencePair[]): Promise<Evaluation[]> {
  const runs = [];
  for (const model of models) {
    const loaded = await load(model);
    await embed(loaded, pairs[0]?.a ?? []);
    runs.push({ loaded, cosines: [] as number[], likeFirst: 0, durations: [] as number[] });
  }
  for (const pair of pairs) {
    let first: readonly Float32Array[] | undefined;
    for (const run of runs) {
      const embeddings: Float32Array[] = [];
      for (const tokens of [pair.a, pair.b]) {
        const start = performance.now();
        embeddings.push(await embed(run.loaded, tokens));
        run.durations.push(performance.now() - start);
      }
      const [a, b] = embeddings as [Float32Array, Float32Array];
      run.cosines.push(cosine(a, b));
      first ??= embeddings;
      const [firstA, firstB] = first as [Float32Array, Float32Array];
      run.likeFirst += (cosine(a, firstA) + cosine(b, firstB)) / (2 * pairs.length);
    }
  }
  for (const { loaded } of runs) loaded.dispose();
  const scores = pairs.map(({ score }) => score);
  return runs.map(({ cosines, likeFirst, durations }) => ({
    spearman: spearman(cosines, scores),
    likeFirst,
    milliseconds: median(durations),
  }));
}
