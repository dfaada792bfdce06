import {
  inspect,
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
 * Why a file with key/value caches is left alone. The adapter for ONNX swaps it; what generates would have to be told the
 * caches' new shapes.
 */
const CACHED =
  'its file has key/value caches, whose shapes transformers.js would have to be told, which this package does not do yet';

/** Swaps the attention of one `.onnx` file; none of it where the file has key/value caches. */
export async function swapFile(
  model: OnnxModel,
  { calibration, ...options }: ReadOptions,
  encoder: Encoder,
  runtime: () => Promise<OrtRuntime>,
): Promise<OnnxSwapResult> {
  const { attention } = inspect(model);
  if (attention.some(({ cache }) => cache !== null)) {
    const { model: same, report } = await swap(model, { ...options, sites: [] });
    const found = new Set(attention.map(({ name }) => name));
    const skipped = report.skipped.map((site) => (found.has(site.name) ? { ...site, reason: CACHED } : site));
    return { model: same, report: { ...report, skipped } };
  }
  const engine = { ...options, runtime: options.runtime ?? (await runtime()) };
  if (calibration === undefined || 'synthetic' in calibration) {
    return swap(model, calibration === undefined ? engine : { ...engine, calibration });
  }
  const { feeds, notices } = await calibrationFeeds(model, calibration, encoder);
  const { model: swapped, report } = await swap(model, { ...engine, calibration: feeds });
  return { model: swapped, report: { ...report, notices: [...report.notices, ...notices] } };
}
