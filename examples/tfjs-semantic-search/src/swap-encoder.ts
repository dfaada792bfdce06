import { useBackend } from '@mhe/example-page/backends';
import { feedOf } from '@mhe/example-sentence-encoder';
import { drawSentences } from '@mhe/example-sentence-encoder/draw-sentences';
import { type SwapProgress, type SwapReport, swap, type TfjsSwapOptions } from '@mhe/tfjs';
import type { io } from '@tensorflow/tfjs-core';
import { readEncoder } from './read-encoder.js';

/** What the dials are set to. */
export interface Dials {
  readonly groups: { readonly queryKey: number; readonly value: number };
  readonly embedding: NonNullable<TfjsSwapOptions['embedding']>;
  /** Made-up sentences to fit on. */
  readonly fitOn: number;
}

/** The encoder swapped. */
export interface SwappedEncoder {
  readonly artifacts: io.ModelArtifacts;
  readonly report: SwapReport;
}

/** How far a swap is. */
export type SwapStep = Pick<SwapProgress, 'stage' | 'done' | 'total'> | { readonly stage: 'load' };

/**
 * Swaps the encoder's attention, on wasm: a swap reads back every activation, and that is dear on a graphics card.
 * Lives in a worker of its own, so that searching goes on, and ending the worker cancels it at once.
 */
export async function swapEncoder(
  folder: string,
  { groups, embedding, fitOn }: Dials,
  onStep: (step: SwapStep) => void,
): Promise<SwappedEncoder> {
  onStep({ stage: 'load' });
  await useBackend('wasm');
  const { model, tokenize } = await readEncoder(folder, () => {});
  const calibration = drawSentences(1, fitOn).map((sentence) => ({ ...feedOf(tokenize(sentence)) }));
  const onProgress = ({ stage, done, total }: SwapProgress) => onStep({ stage, done, total });
  const swapped = await swap(model, { groups, embedding, calibration, onProgress });
  return { artifacts: swapped.model.artifacts(), report: swapped.report };
}
