import { flattenNested, type NestedValues } from '@mhe/core';
import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { quoted } from '../file/tfjs-file-error.js';
import type { HostTensor, HostTensors } from './host-tensor.js';
import { toHost } from './host-tensor.js';
import type { ModelInput } from './model-inputs.js';

/** An array of any number type, row-major, with its dimensions. */
export interface FeedTensor {
  readonly data: ArrayLike<number | bigint | boolean | string>;
  readonly dims: readonly number[];
}

/** One run of a model as a user writes it: what each input is given, by name. Tensors stay the caller's. */
export type Feed = Readonly<Record<string, NestedValues | FeedTensor | Tensor>>;

/**
 * Checks a feed against the inputs that a model declares and converts it to their element types: whole numbers must be
 * exact and fit into 32 bits, booleans may be written as 0 and 1.
 *
 * @param where - what an error message calls the feed: a file and line, say.
 * @returns tensors by the names of the graph's nodes.
 * @throws Error where an input is missing, unknown, ragged, empty, of other dimensions than declared, or holds what its
 *   element type cannot; it names the place and the input.
 */
export async function checkFeed(inputs: readonly ModelInput[], feed: Feed, where: string): Promise<HostTensors> {
  const expected = `the model's inputs are ${inputs.map(({ name }) => name).join(', ')}`;
  const isKnown = (name: string) => inputs.some((input) => input.name === name || input.node === name);
  const unknown = Object.keys(feed).find((name) => !isKnown(name));
  if (unknown !== undefined) throw new Error(`${where}: the model has no input ${quoted(unknown)}; ${expected}.`);
  const values: Record<string, HostTensor> = {};
  for (const input of inputs) {
    const key = [input.name, input.node].find((name) => Object.hasOwn(feed, name));
    if (key === undefined) throw new Error(`${where}: input ${quoted(input.name)} is missing; ${expected}.`);
    try {
      values[input.node] = await hostTensor(input, feed[key] as Feed[string]);
    } catch (cause) {
      throw new Error(`${where}: input ${quoted(input.name)} ${(cause as Error).message}.`, { cause });
    }
  }
  return values;
}

async function hostTensor({ dtype, dims: declared }: ModelInput, given: Feed[string]): Promise<HostTensor> {
  const { dims, data } = await flat(given);
  const shape = `[${dims.join(', ')}]`;
  if (!dims.every((dim) => Number.isSafeInteger(dim) && dim >= 0)) throw new Error(`has the dimensions ${shape}`);
  const count = dims.reduce((product, dim) => product * dim, 1);
  if (count !== data.length) throw new Error(`of ${shape} takes ${count} values, but has ${data.length}`);
  const fits =
    declared === null ||
    (dims.length === declared.length && declared.every((dim, axis) => dim === null || dim === dims[axis]));
  if (!fits) {
    const asked = declared?.map((dim) => dim ?? '?').join(', ');
    throw new Error(`has the dimensions ${shape}, but the model declares [${asked}]`);
  }
  if (count === 0) throw new Error(`of ${shape} is empty`);
  const converted = <N extends number | string>(convert: (value: unknown) => N) => Array.from(data, convert);
  switch (dtype) {
    case 'string':
      return { dtype, dims, data: converted(text) };
    case 'float32':
      return { dtype, dims, data: Float32Array.from(converted(number)) };
    case 'int32':
      return { dtype, dims, data: Int32Array.from(converted(wholeNumber)) };
    case 'bool':
      return { dtype, dims, data: Uint8Array.from(converted(truth)) };
  }
}

async function flat(given: Feed[string]): Promise<FeedTensor> {
  if (given instanceof tf.Tensor) return toHost(given);
  const isTensor = typeof given === 'object' && given !== null && 'dims' in given && 'data' in given;
  return isTensor ? (given as FeedTensor) : flattenNested(given as NestedValues);
}

function text(value: unknown): string {
  if (typeof value !== 'string') throw new Error(`takes strings, but holds ${shown(value)}`);
  return value;
}

function number(value: unknown): number {
  if (typeof value === 'string' || value === null) throw new Error(`takes numbers, but holds ${shown(value)}`);
  return Number(value);
}

function wholeNumber(value: unknown): number {
  const whole = number(value);
  if (!Number.isInteger(whole)) throw new Error(`takes whole numbers, but holds ${whole}`);
  if (whole !== (whole | 0)) throw new Error(`takes whole numbers of 32 bits, but holds ${whole}`);
  return whole;
}

function truth(value: unknown): number {
  const bit = number(value);
  if (bit !== 0 && bit !== 1) throw new Error(`takes truths, or 0 and 1, but holds ${bit}`);
  return bit;
}

function shown(value: unknown): string {
  return typeof value === 'string' ? `the text ${JSON.stringify(value.slice(0, 40))}` : String(value);
}
