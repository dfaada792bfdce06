import type { FeatureExtractionPipeline } from '@huggingface/transformers';
import type { ModelPlace } from '@mhe/example-page/model-place';
import { type SwapStep, swapModel } from '@mhe/example-page/swap-model';
import type { Dials } from '@mhe/example-page/swap-options';
import { lookIn, pipeline } from '@mhe/example-page/transformers';
import type { LoadReport } from '@mhe/transformers';

/** Swaps the attention of a model of embeddings. */
export function swapEmbedder(place: ModelPlace, dials: Dials, onStep: (step: SwapStep) => void): Promise<LoadReport> {
  return swapModel(
    (options) => pipeline<FeatureExtractionPipeline>('feature-extraction', lookIn(place), options),
    dials,
    onStep,
  );
}
