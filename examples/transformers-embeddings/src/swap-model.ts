import type { FeatureExtractionPipeline } from '@huggingface/transformers';
import type { LoadReport } from '@mhe/transformers';
import { lookIn, pipeline } from './library.js';
import type { ModelPlace } from './model-place.js';
import { type Dials, swapOptions } from './swap-options.js';

/** How far a swap is. */
export interface SwapStep {
  readonly stage: 'load' | 'capture' | 'verify' | 'fit' | 'compare';
  /** Share of the stage. */
  readonly share: number;
}

/**
 * Loads a model with its attention swapped, for it to be in the browser's cache afterwards, whole or not at all. Lives in a
 * worker of its own, so that searching goes on, and ending the worker cancels it at once.
 */
export async function swapModel(
  place: ModelPlace,
  dials: Dials,
  onStep: (step: SwapStep) => void,
): Promise<LoadReport> {
  onStep({ stage: 'load', share: 0 });
  let report: LoadReport | undefined;
  // On wasm: a swap reads back every activation, and that is dear on a graphics card.
  const swapped = await pipeline<FeatureExtractionPipeline>('feature-extraction', lookIn(place), {
    device: 'wasm',
    mhe: {
      ...swapOptions(dials),
      onProgress: ({ stage, done, total }) => onStep({ stage, share: total > 0 ? done / total : 0 }),
      onReport: (told) => {
        report = told;
      },
    },
  });
  await swapped.dispose();
  if (!report) throw new Error('The swap ended without a report.');
  return report;
}
