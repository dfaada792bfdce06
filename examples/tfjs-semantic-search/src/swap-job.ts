import { proxy, wrap } from 'comlink';
import type { Dials, SwappedEncoder, SwapStep, swapEncoder } from './swap-encoder.js';

/** A swap that is under way. */
export interface SwapJob {
  /** `null` where it was cancelled. */
  readonly result: Promise<SwappedEncoder | null>;
  cancel(): void;
}

/** Starts a swap in a worker that ends with it. */
export function startSwap(folder: string, dials: Dials, onStep: (step: SwapStep) => void): SwapJob {
  const worker = new Worker(new URL('./swap-worker.ts', import.meta.url), { type: 'module' });
  let cancel = () => {};
  const cancelled = new Promise<null>((resolve) => {
    cancel = () => resolve(null);
  });
  const failed = new Promise<never>((_, reject) => {
    worker.addEventListener('error', ({ message }) => reject(new Error(message || 'The swap could not be started.')));
  });
  const swapped = wrap<typeof swapEncoder>(worker)(folder, dials, proxy(onStep));
  return { result: Promise.race([swapped, cancelled, failed]).finally(() => worker.terminate()), cancel };
}
