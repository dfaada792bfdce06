import type { NumberTensor } from '@mhe/core';
import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';

/** A tensor outside the backend: row-major values and dimensions. */
export type HostTensor =
  | { readonly dtype: 'float32' | 'complex64'; readonly dims: readonly number[]; readonly data: Float32Array }
  | { readonly dtype: 'int32'; readonly dims: readonly number[]; readonly data: Int32Array }
  | { readonly dtype: 'bool'; readonly dims: readonly number[]; readonly data: Uint8Array }
  | { readonly dtype: 'string'; readonly dims: readonly number[]; readonly data: readonly string[] };

/** Tensors by the names of values. */
export type HostTensors = Readonly<Record<string, HostTensor>>;

/** Copies a tensor out of the backend. */
export async function toHost(tensor: Tensor): Promise<HostTensor> {
  // A backend may hand out its own memory.
  const data = (await tensor.data()).slice();
  return { dtype: tensor.dtype, dims: tensor.shape.slice(), data } as unknown as HostTensor;
}

/** Copies a tensor into the backend; the caller disposes of it. */
export function toBackend({ data, dims, dtype }: HostTensor): Tensor {
  return tf.tensor(data as Float32Array, dims.slice(), dtype);
}

/** A tensor's numbers; of strings none. */
export function hostNumbers({ data, dims, dtype }: HostTensor): NumberTensor {
  return { dims, numbers: dtype === 'string' ? [] : (data as Float32Array) };
}

/** Copies some of the tensors out of the backend; those that are not there are left out. */
export async function hostValues(tensors: ReadonlyMap<string, Tensor>, names: readonly string[]): Promise<HostTensors> {
  const values: Record<string, HostTensor> = {};
  for (const name of names) {
    const tensor = tensors.get(name);
    if (tensor) values[name] = await toHost(tensor);
  }
  return values;
}

/** Gives tensors for some values, of which a run made some and others were known before. */
export async function withKnown(
  known: HostTensors,
  made: ReadonlyMap<string, Tensor>,
  names: readonly string[],
  use: (get: (name: string) => Tensor) => Promise<void>,
): Promise<void> {
  const copies = new Map<string, Tensor>();
  for (const name of names) {
    const value = known[name];
    if (!made.has(name) && value) copies.set(name, toBackend(value));
  }
  try {
    await use((name) => (made.get(name) ?? copies.get(name)) as Tensor);
  } finally {
    for (const tensor of copies.values()) tensor.dispose();
  }
}
