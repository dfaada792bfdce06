import type { SyntheticCalibration } from '@mhe/core';
import type { Feed } from './feed.js';

/** Texts or images as people have them, which a model's own tokenizer or processor turns into its inputs. */
export interface RawCalibration {
  readonly raw: readonly RawInput[];
}

/** A text, an image's path, or both, and what a decoder is to write of them. */
export interface RawInput {
  readonly text?: string;
  readonly image?: string;
  readonly target?: string;
}

/** What a swap is fitted on: inputs of the graph, what they are made of, or made-up inputs. */
export type Calibration = Iterable<Feed> | RawCalibration | SyntheticCalibration;

/**
 * The calibration of a model that is a graph alone, without tokenizer or processor.
 *
 * @throws Error where it was given as texts or images.
 */
export function graphCalibration(calibration: Calibration): Iterable<Feed> | SyntheticCalibration {
  if (!('raw' in calibration)) return calibration;
  throw new Error(
    '--data needs the folder of a transformers.js model, whose tokenizer reads it; for other models give --calibration, inputs of the graph',
  );
}
