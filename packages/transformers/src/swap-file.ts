import {
  acceptEmptyCaches,
  checkSwapOptions,
  type Feed,
  inspect,
  type OnnxModel,
  type OnnxSwapResult,
  type OrtRuntime,
  runModel,
  type SyntheticCalibration,
  swap,
} from '@mhe/onnx';
import { type CalibrationSample, calibrationSample } from './calibration/calibration-input.js';
import type { Encoder } from './calibration/encoder.js';
import type { EncoderFile } from './calibration/encoder-file.js';
import { calibrationFeeds } from './calibration/feeds.js';
import { ModelFolderError } from './model-folder-error.js';
import type { MheOptions } from './options.js';

/** Options whose calibration was read once, so that several files can use it. */
export type ReadOptions = Omit<MheOptions, 'calibration'> & {
  readonly calibration: readonly CalibrationSample[] | SyntheticCalibration | undefined;
};

/**
 * Checks the options of a swap and reads its calibration inputs, which may come from anything that can be iterated once.
 *
 * @param own - the names of options that only the caller knows.
 * @throws RangeError for options that there are not, or are not so; where there is none in it, it is a single string, or one
 *   of them is no input.
 */
export function readOptions({ calibration, ...options }: MheOptions, own: readonly string[]): ReadOptions {
  if (typeof calibration === 'string') throw new RangeError('calibration: give a list of texts, not one text');
  const isList = typeof calibration === 'object' && calibration !== null && Symbol.iterator in calibration;
  const isMadeUp = typeof calibration === 'object' && calibration !== null && 'synthetic' in calibration;
  if (calibration !== undefined && !isList && !isMadeUp) {
    throw new RangeError('calibration: it is no list; give an array of inputs, such as texts, awaited');
  }
  checkSwapOptions(isMadeUp ? { ...options, calibration } : options, own);
  if (!isList) return { ...options, calibration };
  const samples = Array.from(calibration, calibrationSample);
  if (samples.length === 0) {
    throw new RangeError('calibration: there is no input in it; give at least one, or leave it out');
  }
  return { ...options, calibration: samples };
}

/** Of a file whose attention is left alone. */
const NO_FEEDS = { feeds: undefined, notices: [] };

/**
 * Swaps the attention of one `.onnx` file. Where it has key/value caches, the result takes empty ones of any number of
 * heads: transformers.js makes the first ones as the configuration of the original tells (2 and 3) or as the file declares
 * (4), and hands back what comes out.
 *
 * @param source - the model's encoder, if it has one in a file of its own: a decoder is calibrated on what it gives.
 */
export async function swapFile(
  model: OnnxModel,
  { calibration, ...options }: ReadOptions,
  encoder: Encoder,
  runtime: () => Promise<OrtRuntime>,
  source?: EncoderFile,
): Promise<OnnxSwapResult> {
  const engine = { ...options, runtime: options.runtime ?? (await runtime()) };
  const given = calibration !== undefined && !('synthetic' in calibration);
  const runnable = source && {
    ...source,
    run: (before: OnnxModel, inputs: readonly Feed[]) => runModel(before, inputs, engine),
  };
  const { feeds, notices } = given
    ? await calibrationFeeds(model, calibration, encoder, runnable).catch((error: unknown) => {
        // A file without attention to swap needs none: its report says why there is none.
        if (error instanceof ModelFolderError && inspect(model).attention.length === 0) return NO_FEEDS;
        throw error;
      })
    : { feeds: calibration, notices: [] };
  const { model: swapped, report } = await swap(model, { ...engine, ...(feeds && { calibration: feeds }) });
  return {
    model: acceptEmptyCaches(swapped, report),
    report: { ...report, notices: [...report.notices, ...notices] },
  };
}
