import { seededRandom } from '@mhe/core';
import type { GraphProto } from 'onnx-buf';
import { graphIndex } from '../graph/graph-index.js';
import type { OnnxModel } from '../graph/model.js';
import type { HostDtype, HostTensors, NumericDtype } from './host-tensor.js';
import { imageShape } from './image-shape.js';
import { modelInputs } from './model-inputs.js';
import { syntheticDims } from './synthetic-dims.js';
import { chooseValues, fillValues, type SyntheticValues } from './synthetic-values.js';

/** How inputs are made up. */
export interface SyntheticOptions {
  /** Default 0. The same seed gives the same feeds. */
  readonly seed?: number;
  /** How many feeds. Default 16. */
  readonly sequences?: number;
  /** Size of the dimensions that the model leaves open, batch and images apart. Default 32. */
  readonly length?: number;
  /** Axes of inputs that get no element: the positions of caches. Default none. */
  readonly empty?: ReadonlyMap<string, number>;
}

/** What was chosen for one input, for a report. */
export interface SyntheticInput {
  readonly name: string;
  readonly dtype: HostDtype;
  readonly dims: readonly number[];
  readonly values: SyntheticValues;
}

/** Made-up feeds, and how they were made. */
export interface SyntheticFeeds {
  readonly feeds: readonly HostTensors[];
  readonly inputs: readonly SyntheticInput[];
}

/**
 * Makes up inputs for a model from what its graph declares and does with them: token numbers within the table that
 * they index, masks that keep everything, token types of zeros, positions in order, standard normal floats. They exercise a model; they do not show it
 * what it will see, so that a fit on them is worse than one on real inputs.
 *
 * @param model - the model to feed.
 * @param options - seed, number and length.
 * @throws Error where an option or a size makes no sense, or an input cannot be made up; it names the input.
 */
export function syntheticFeeds(model: OnnxModel, options: SyntheticOptions = {}): SyntheticFeeds {
  const { seed = 0, sequences = 16, length = 32, empty } = options;
  for (const [name, size] of Object.entries({ sequences, length })) {
    if (!Number.isSafeInteger(size) || size < 1) throw new Error(`${name} must be a whole number from 1, not ${size}.`);
  }
  const declared = modelInputs(model);
  const index = graphIndex(model.proto.graph as GraphProto);
  const dims = syntheticDims(declared, length, (input) => imageShape(index, input), empty);
  const inputs = declared.map((input, i) => ({
    name: input.name,
    dtype: input.dtype,
    dims: dims[i] ?? [],
    values: chooseValues(index, input, model),
  }));
  const random = seededRandom(seed);
  const feeds = Array.from({ length: sequences }, () =>
    Object.fromEntries(
      inputs.map(({ name, dtype, dims, values }) => [name, fillValues(dtype as NumericDtype, dims, values, random)]),
    ),
  );
  return { feeds, inputs };
}
