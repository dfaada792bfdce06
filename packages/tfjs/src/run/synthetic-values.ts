import type { SeededRandom } from '@mhe/core';
import { quoted } from '../file/tfjs-file-error.js';
import type { HostTensor } from './host-tensor.js';
import type { ModelInput } from './model-inputs.js';

/**
 * What a made-up input is filled with.
 * - `ids`: whole numbers from 1 to `below - 1`, each as likely; 0 often stands for no token at all.
 * - `positions`: 0, 1, 2, ... along the last axis, starting over at `below`.
 * - `coordinates`: rows `[0, 0]`, `[0, 1]`, ...: the places of one sequence in a sparse tensor.
 * - `normal`: standard normal numbers.
 * - `zeros`, `ones`.
 */
export type SyntheticValues =
  | { readonly kind: 'ids' | 'positions'; readonly below: number }
  | { readonly kind: 'coordinates' | 'normal' | 'zeros' | 'ones' };

/** What a model does with the numbers of an input. */
export interface InputUse {
  /** Rows of the smallest table that they pick from; `null` where they pick from none. */
  readonly below: number | null;
  /** Whether they are places in a sparse tensor. */
  readonly isCoordinates: boolean;
}

/**
 * Chooses what to fill an input with, from its element type, its name and what the model does with it.
 *
 * @throws Error where nothing sensible is known: strings, and token numbers without a table to tell their range.
 */
export function chooseValues({ name, dtype }: ModelInput, { below, isCoordinates }: InputUse): SyntheticValues {
  if (dtype === 'string')
    throw new Error(`Input ${quoted(name)} is of strings, which cannot be made up: give calibration data.`);
  if (dtype === 'bool') return { kind: /pad/i.test(name) ? 'zeros' : 'ones' };
  if (/mask/i.test(name)) return { kind: 'ones' };
  // Models of layers often feed token numbers as floating-point ones.
  if (dtype === 'float32' && below === null) return { kind: 'normal' };
  if (/token_?type|segment/i.test(name)) return { kind: 'zeros' };
  if (/position/i.test(name)) return { kind: 'positions', below: below ?? Number.MAX_SAFE_INTEGER };
  if (below !== null) return { kind: 'ids', below };
  if (isCoordinates) return { kind: 'coordinates' };
  if (/ids?$|token/i.test(name)) {
    throw new Error(
      `Input ${quoted(name)} looks like token numbers, but no table in the model tells their range: give calibration data.`,
    );
  }
  return { kind: 'ones' };
}

/** Makes one input. `input.dtype` is not string: {@link chooseValues} refuses those. */
export function fillValues(
  { dtype }: ModelInput,
  dims: readonly number[],
  values: SyntheticValues,
  random: SeededRandom,
): HostTensor {
  const numberAt = (place: number): number => {
    switch (values.kind) {
      case 'ids':
        return values.below > 1 ? 1 + random.integer(values.below - 1) : 0;
      case 'positions':
        return (place % (dims.at(-1) ?? 1)) % values.below;
      case 'coordinates':
        return place % (dims.at(-1) ?? 1) === 0 ? 0 : Math.floor(place / (dims.at(-1) ?? 1));
      case 'normal':
        return random.normal();
      case 'zeros':
        return 0;
      case 'ones':
        return 1;
    }
  };
  const numbers = Array.from({ length: dims.reduce((count, dim) => count * dim, 1) }, (_, place) => numberAt(place));
  if (dtype === 'float32') return { dtype, dims, data: Float32Array.from(numbers) };
  if (dtype === 'bool') return { dtype, dims, data: Uint8Array.from(numbers) };
  return { dtype: 'int32', dims, data: Int32Array.from(numbers) };
}
