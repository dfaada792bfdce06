import type { SeededRandom } from '@mhe/core';
import { quoted } from '../file/onnx-file-error.js';
import type { GraphIndex } from '../graph/graph-index.js';
import type { OnnxModel } from '../graph/model.js';
import { fillHostTensor, type HostTensor, type NumericDtype } from './host-tensor.js';
import { indexedRows } from './indexed-rows.js';
import { trueExcludes } from './mask-sense.js';
import type { ModelInput } from './model-inputs.js';

/**
 * What a made-up input is filled with.
 * - `ids`: whole numbers from 0 to `below - 1`, each as likely.
 * - `positions`: 0, 1, 2, ... along the last axis, starting over at `below`.
 * - `pixels`: whole numbers from 0 to 255.
 * - `normal`: standard normal numbers.
 * - `zeros`, `ones`: for booleans whichever keeps a position, where the graph tells.
 */
export type SyntheticValues =
  | { readonly kind: 'ids'; readonly below: number }
  | { readonly kind: 'positions'; readonly below: number }
  | { readonly kind: 'pixels' | 'normal' | 'zeros' | 'ones' };

/**
 * Chooses what to fill an input with, from its element type, its name and what the graph does with it.
 *
 * @throws Error where nothing sensible is known: strings, and token numbers without a table to tell their range.
 */
export function chooseValues(index: GraphIndex, { name, dtype, dims }: ModelInput, model: OnnxModel): SyntheticValues {
  if (dtype === 'string')
    throw new Error(`Input ${quoted(name)} is of strings, which cannot be made up: give calibration data.`);
  if (dtype === 'bool') {
    const excludes = trueExcludes(index, name, model) ?? /pad/i.test(name);
    return { kind: excludes ? 'zeros' : 'ones' };
  }
  if (/mask/i.test(name)) return { kind: 'ones' };
  if (dtype.startsWith('float')) return { kind: 'normal' };
  if (/token_?type|segment/i.test(name)) return { kind: 'zeros' };
  const below = indexedRows(index, name);
  if (/position/i.test(name)) return { kind: 'positions', below: below ?? Number.MAX_SAFE_INTEGER };
  if (below !== null) return { kind: 'ids', below };
  if (dtype === 'uint8' && (dims?.length ?? 0) >= 3) return { kind: 'pixels' };
  if (/ids?$|token/i.test(name)) {
    throw new Error(
      `Input ${quoted(name)} looks like token numbers, but no table in the graph tells their range: give calibration data.`,
    );
  }
  return { kind: 'ones' };
}

/** Makes one input. `dtype` is not string: {@link chooseValues} refuses those. */
export function fillValues(
  dtype: NumericDtype,
  dims: readonly number[],
  values: SyntheticValues,
  random: SeededRandom,
): HostTensor {
  return fillHostTensor(dtype, dims, (place) => {
    switch (values.kind) {
      case 'ids':
        return random.integer(values.below);
      case 'positions':
        return (place % (dims.at(-1) ?? 1)) % values.below;
      case 'pixels':
        return random.integer(256);
      case 'normal':
        return random.normal();
      case 'zeros':
        return 0;
      case 'ones':
        return 1;
    }
  });
}
