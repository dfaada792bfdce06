import type { ModelPlace } from '@mhe/example-page/model-place';
import { type SwapStep, swapModel } from '@mhe/example-page/swap-model';
import type { Dials } from '@mhe/example-page/swap-options';
import { AutoModelForCausalLM, lookIn } from '@mhe/example-page/transformers';
import type { LoadReport } from '@mhe/transformers';

/** Swaps the attention of a model that generates. */
export function swapChat(place: ModelPlace, dials: Dials, onStep: (step: SwapStep) => void): Promise<LoadReport> {
  return swapModel((options) => AutoModelForCausalLM.from_pretrained(lookIn(place), options), dials, onStep);
}
