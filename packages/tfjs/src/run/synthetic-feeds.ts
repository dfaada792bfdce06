import type { SyntheticCalibration } from '@mhe/core';
import { seededRandom } from '@mhe/core';
import { quoted } from '../file/tfjs-file-error.js';
import type { HostTensors } from './host-tensor.js';
import type { ModelInput } from './model-inputs.js';
import { chooseValues, fillValues, type InputUse, type SyntheticValues } from './synthetic-values.js';

/** What was chosen for one input, for a report. */
export interface SyntheticInput {
  readonly name: string;
  readonly dims: readonly number[];
  readonly values: SyntheticValues;
}

/** Made-up feeds, and how they were made. */
export interface SyntheticFeeds {
  readonly feeds: readonly HostTensors[];
  readonly inputs: readonly SyntheticInput[];
}

/** 256 MiB of float32: more than any input worth making up. */
const MAX_ELEMENTS = 2 ** 26;

/** Height and width of images where a model leaves them open: what most are trained on. */
const IMAGE_SIZE = 224;

/**
 * Makes up inputs for a model from what it declares and does with them. They exercise a model; they do not show
 * it what it will see, so that a fit on them is worse than one on real inputs.
 *
 * @throws Error where an option or a size makes no sense, or an input cannot be made up; it names the input.
 */
export function syntheticFeeds(
  declared: readonly ModelInput[],
  useOf: (input: ModelInput) => InputUse,
  options: SyntheticCalibration['synthetic'],
): SyntheticFeeds {
  const { seed = 0, sequences = 16, length = 32 } = options;
  for (const [name, size] of Object.entries({ sequences, length })) {
    if (!Number.isSafeInteger(size) || size < 1) throw new Error(`${name} must be a whole number from 1, not ${size}.`);
  }
  const inputs = declared.map((input) => {
    const values = chooseValues(input, useOf(input));
    return { input, values, dims: dimsOf(input, values, length) };
  });
  const random = seededRandom(seed);
  const feeds = Array.from({ length: sequences }, () =>
    Object.fromEntries(inputs.map(({ input, values, dims }) => [input.node, fillValues(input, dims, values, random)])),
  );
  return { feeds, inputs: inputs.map(({ input, values, dims }) => ({ name: input.name, dims, values })) };
}

/**
 * What is declared is kept; the batch is 1; images (rank 4) have the usual size; every other open size is the length
 * asked for, and so is the number of coordinates.
 */
function dimsOf({ name, dims: declared, dtype }: ModelInput, values: SyntheticValues, length: number): number[] {
  if (declared === null) {
    throw new Error(
      `Input ${quoted(name)} declares no dimensions, so that none can be made up: give calibration data.`,
    );
  }
  const isImage = declared.length === 4 && dtype === 'float32';
  const dims = declared.map((dim, axis) => {
    if (dim !== null) return dim;
    if (values.kind === 'coordinates') return axis === 0 ? length : 2;
    if (axis === 0 && declared.length > 1) return 1;
    return isImage ? (axis === 3 ? 3 : IMAGE_SIZE) : length;
  });
  const shape = `[${dims.join(', ')}]`;
  if (dims.includes(0)) {
    throw new Error(
      `Input ${quoted(name)} of ${shape} would be empty: give calibration data with the inputs it is used with.`,
    );
  }
  if (dims.reduce((product, dim) => product * dim, 1) > MAX_ELEMENTS) {
    throw new Error(`Input ${quoted(name)} of ${shape} is too large to make up: give calibration data.`);
  }
  return dims;
}
