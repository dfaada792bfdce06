import { type Job, startJob } from '@mhe/example-page/job';
import type { ModelPlace } from '@mhe/example-page/model-place';
import type { SwapStep } from '@mhe/example-page/swap-model';
import type { Dials } from '@mhe/example-page/swap-options';
import type { LoadReport } from '@mhe/transformers';
import { proxy, wrap } from 'comlink';
import type { swapEmbedder } from './swap-embedder.js';

/** Starts a swap in a worker that ends with it. */
export function startSwap(place: ModelPlace, dials: Dials, onStep: (step: SwapStep) => void): Job<LoadReport> {
  const worker = new Worker(new URL('./swap-worker.ts', import.meta.url), { type: 'module' });
  return startJob(worker, () => wrap<typeof swapEmbedder>(worker)(place, dials, proxy(onStep)));
}
