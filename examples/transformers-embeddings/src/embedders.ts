import type { FeatureExtractionPipeline } from '@huggingface/transformers';
import { ModelPair, type PairLoadOptions } from '@mhe/example-page/model-pair';
import type { ModelPlace } from '@mhe/example-page/model-place';
import { type Rankings, rank } from '@mhe/example-page/rank';
import { lookIn, pipeline } from '@mhe/example-page/transformers';

/** How the vectors of a text's tokens become one. */
export type Pooling = 'mean' | 'cls';

/** The models of embeddings on one device; lives in a worker. */
export class Embedders extends ModelPair<FeatureExtractionPipeline> {
  /** Ranks texts by their nearness to a query. */
  rank(query: string, texts: readonly string[], pooling: Pooling): Promise<Rankings> {
    const [original, swapped] = (['original', 'swapped'] as const).map((name) => {
      const model = this.models.get(name);
      if (!model) return null;
      return async (text: string) => (await model(text, { pooling, normalize: true })).data as Float32Array;
    });
    if (!original) throw new Error('No model is loaded: choose one.');
    return rank(original, swapped ?? null, query, texts);
  }

  protected load(place: ModelPlace, options: PairLoadOptions): Promise<FeatureExtractionPipeline> {
    return pipeline<FeatureExtractionPipeline>('feature-extraction', lookIn(place), options);
  }
}
