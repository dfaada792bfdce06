import type { LoadReport, MheLoadOptions } from '@mhe/transformers';
import { type Dials, swapOptions } from './swap-options.js';

/** How far a swap is. */
export interface SwapStep {
  readonly stage: 'load' | 'capture' | 'verify' | 'fit' | 'compare';
  /** Share of the stage. */
  readonly share: number;
}

/** Loads a model with the library. */
export type Load = (options: {
  readonly device: 'wasm';
  readonly mhe: MheLoadOptions;
}) => Promise<{ dispose(): Promise<unknown> }>;

/**
 * Loads a model with its attention swapped, for it to be in the browser's cache afterwards, whole or not at all. Belongs in a
 * worker of its own, so that the page goes on, and ending the worker cancels it at once.
 */
export async function swapModel(load: Load, dials: Dials, onStep: (step: SwapStep) => void): Promise<LoadReport> {
  onStep({ stage: 'load', share: 0 });
  let report: LoadReport | undefined;
  const mhe: MheLoadOptions = {
    ...swapOptions(dials),
    onProgress: ({ stage, done, total }) => onStep({ stage, share: total > 0 ? done / total : 0 }),
    onReport: (told) => {
      report = told;
    },
  };
  // On wasm: a swap reads back every activation, and that is dear on a graphics card.
  const swapped = await load({ device: 'wasm', mhe });
  await swapped.dispose();
  if (!report) throw new Error('The swap ended without a report.');
  return report;
}
