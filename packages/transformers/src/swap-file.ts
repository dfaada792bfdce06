import {
  acceptEmptyCaches,
  type OnnxModel,
  type OnnxSwapResult,
  type OrtRuntime,
  type SyntheticCalibration,
  swap,
} from '@mhe/onnx';
import { type CalibrationSample, calibrationSample } from './calibration/calibration-input.js';
import type { Encoder } from './calibration/encoder.js';
import { calibrationFeeds } from './calibration/feeds.js';
import type { MheOptions } from './options.js';

/** Options whose calibration was read once, so that several files can use it. */
export type ReadOptions = Omit<MheOptions, 'calibration'> & {
  readonly calibration: readonly CalibrationSample[] | SyntheticCalibration | undefined;
};

/**
 * Reads the calibration inputs of a swap, which may come from anything that can be iterated once.
 *
 * @throws RangeError where there is none in it, or it is a single string.
 */
export function readOptions({ calibration, ...options }: MheOptions): ReadOptions {
  if (typeof calibration === 'string') throw new RangeError('calibration: give a list of texts, not one text');
  if (calibration === undefined || !(Symbol.iterator in calibration)) return { ...options, calibration };
  const samples = Array.from(calibration, calibrationSample);
  if (samples.length === 0) {
    throw new RangeError('calibration: there is no input in it; give at least one, or leave it out');
  }
  return { ...options, calibration: samples };
}

/**
 * Swaps the attention of one `.onnx` file. Where it has key/value caches, the result takes empty ones of any number of
 * heads: transformers.js makes the first ones as the configuration of the original tells (2 and 3) or as the file declares
 * (4), and hands back what comes out.
 */
export async function swapFile(
  model: OnnxModel,
  { calibration, ...options }: ReadOptions,
  encoder: Encoder,
  runtime: () => Promise<OrtRuntime>,
): Promise<OnnxSwapResult> {
  const engine = { ...options, runtime: options.runtime ?? (await runtime()) };
  const given = calibration !== undefined && !('synthetic' in calibration);
  const { feeds, notices } = given
    ? await calibrationFeeds(model, calibration, encoder)
    : { feeds: calibration, notices: [] };
  const { model: swapped, report } = await swap(model, { ...engine, ...(feeds && { calibration: feeds }) });
  return {
    model: acceptEmptyCaches(swapped, report),
    report: { ...report, notices: [...report.notices, ...notices] },
  };
}
