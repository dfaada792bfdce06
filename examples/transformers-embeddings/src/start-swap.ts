import { type Job, startJob } from '@mhe/example-page/job';
import type { LoadReport } from '@mhe/transformers';
import { proxy, wrap } from 'comlink';
import type { ModelPlace } from './model-place.js';
import type { SwapStep, swapModel } from './swap-model.js';
import type { Dials } from './swap-options.js';

/** Starts a swap in a worker that ends with it. */
export function startSwap(place: ModelPlace, dials: Dials, onStep: (step: SwapStep) => void): Job<LoadReport> {
  const worker = new Worker(new URL('./swap-worker.ts', import.meta.url), { type: 'module' });
  return startJob(worker, () => wrap<typeof swapModel>(worker)(place, dials, proxy(onStep)));
}
