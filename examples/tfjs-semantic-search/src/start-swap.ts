import { type Job, startJob } from '@mhe/example-page/job';
import { proxy, wrap } from 'comlink';
import type { Dials, SwappedEncoder, SwapStep, swapEncoder } from './swap-encoder.js';

/** Starts a swap in a worker that ends with it. */
export function startSwap(folder: string, dials: Dials, onStep: (step: SwapStep) => void): Job<SwappedEncoder> {
  const worker = new Worker(new URL('./swap-worker.ts', import.meta.url), { type: 'module' });
  return startJob(worker, () => wrap<typeof swapEncoder>(worker)(folder, dials, proxy(onStep)));
}
