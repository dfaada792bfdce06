import { flattenNested, type NestedValues } from '@mhe/core';
import { quoted } from '../file/onnx-file-error.js';
import { fillHostTensor, type HostTensor, type HostTensors, type NumericDtype } from './host-tensor.js';
import type { DeclaredDim, ModelInput } from './model-inputs.js';

/**
 * An array of any number type, row-major, with its dimensions. For an input of float16 a `Uint16Array` holds the bits,
 * as it does in the tensors of ONNX Runtime.
 */
export interface FeedTensor {
  readonly data: ArrayLike<number | bigint | boolean | string>;
  readonly dims: readonly number[];
}

/** One run of a model as a user writes it: what each input is given, by name. */
export type Feed = Readonly<Record<string, NestedValues | FeedTensor>>;

/**
 * Checks a feed against the inputs that a model declares and converts it to their element types: floats are rounded
 * to theirs, integers must be exact and in range, booleans may be written as 0 and 1.
 *
 * @param inputs - the model's inputs (`modelInputs`).
 * @param feed - nested arrays, or flat ones with dimensions. It is copied.
 * @param where - what an error message calls the feed: a file and line, say.
 * @param mayBeEmpty - inputs that may hold nothing: caches. Default none.
 * @throws Error where an input is missing, unknown, ragged, empty, of other dimensions than declared, or holds what its
 *   element type cannot; it names the place and the input.
 */
export function checkFeed(
  inputs: readonly ModelInput[],
  feed: Feed,
  where: string,
  mayBeEmpty: ReadonlySet<string> = new Set(),
): HostTensors {
  const names = inputs.map((input) => input.name);
  const expected = `the model's inputs are ${names.join(', ')}`;
  for (const name of Object.keys(feed)) {
    if (!names.includes(name)) throw new Error(`${where}: the model has no input ${quoted(name)}; ${expected}.`);
  }
  return Object.fromEntries(
    inputs.map((input) => {
      if (!Object.hasOwn(feed, input.name)) {
        throw new Error(`${where}: input ${quoted(input.name)} is missing; ${expected}.`);
      }
      try {
        return [input.name, toHostTensor(input, feed[input.name] as Feed[string], mayBeEmpty.has(input.name))];
      } catch (cause) {
        throw new Error(`${where}: input ${quoted(input.name)} ${(cause as Error).message}.`, { cause });
      }
    }),
  );
}

function toHostTensor({ dtype, dims: declared }: ModelInput, given: Feed[string], mayBeEmpty: boolean): HostTensor {
  const { dims, data } = isFeedTensor(given) ? given : flattenNested(given);
  const shape = `[${dims.join(', ')}]`;
  if (!dims.every((dim) => Number.isSafeInteger(dim) && dim >= 0)) throw new Error(`has the dimensions ${shape}`);
  const count = dims.reduce((product, dim) => product * dim, 1);
  if (count !== data.length) throw new Error(`of ${shape} takes ${count} values, but has ${data.length}`);
  if (declared !== null && !fits(dims, declared)) {
    throw new Error(
      `has the dimensions ${shape}, but the model declares [${declared.map((dim) => dim ?? '?').join(', ')}]`,
    );
  }
  if (count === 0 && !mayBeEmpty) throw new Error(`of ${shape} is empty`);
  if (dtype === 'string')
    return { dtype, dims: [...dims], data: Array.from({ length: count }, (_, i) => text(data[i])) };
  if (dtype === 'float16' && isFeedTensor(given) && data instanceof Uint16Array) {
    return { dtype, dims: [...dims], data: data.slice() };
  }
  return fillHostTensor(dtype, dims, (place) => converted(data[place], dtype));
}

function isFeedTensor(given: Feed[string]): given is FeedTensor {
  return typeof given === 'object' && given !== null && 'dims' in given && 'data' in given;
}

function fits(dims: readonly number[], declared: readonly DeclaredDim[]): boolean {
  return (
    dims.length === declared.length && declared.every((dim, axis) => typeof dim !== 'number' || dim === dims[axis])
  );
}

function text(value: unknown): string {
  if (typeof value !== 'string') throw new Error(`takes strings, but holds ${shown(value)}`);
  return value;
}

/** Smallest and largest value of each integer type. */
const ranges: Partial<Record<NumericDtype, readonly [bigint, bigint]>> = {
  ...Object.fromEntries([8n, 16n, 32n, 64n].map((bits) => [`uint${bits}`, [0n, 2n ** bits - 1n]])),
  ...Object.fromEntries(
    [8n, 16n, 32n, 64n].map((bits) => [`int${bits}`, [-(2n ** (bits - 1n)), 2n ** (bits - 1n) - 1n]]),
  ),
  bool: [0n, 1n],
};

function converted(value: unknown, dtype: NumericDtype): number | bigint {
  const number = typeof value === 'boolean' ? Number(value) : value;
  if (typeof number !== 'number' && typeof number !== 'bigint')
    throw new Error(`is of ${dtype}, but holds ${shown(value)}`);
  const range = ranges[dtype];
  if (range === undefined) return Number(number);
  if (typeof number === 'number' && !Number.isSafeInteger(number)) {
    const why = Number.isInteger(number) ? 'which is too large to be exact: give it as a bigint' : 'not a whole number';
    throw new Error(`is of ${dtype}, but holds ${number}, ${why}`);
  }
  if (number < range[0] || number > range[1]) {
    throw new Error(`is of ${dtype}, from ${range[0]} to ${range[1]}, but holds ${number}`);
  }
  return number;
}

function shown(value: unknown): string {
  return typeof value === 'string' ? `the text ${JSON.stringify(value.slice(0, 40))}` : String(value);
}
