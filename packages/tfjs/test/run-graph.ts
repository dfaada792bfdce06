// Runs converted models, in Node and in a browser.
import { loadGraphModel } from '@tensorflow/tfjs-converter';
import type { DataType, io, NamedTensorMap, Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';

/** A tensor as a fixture's JSON has it; truths are 0 and 1. */
interface StoredTensor {
  readonly dtype: Exclude<DataType, 'string' | 'complex64'>;
  readonly dims: readonly number[];
  readonly data: readonly number[];
}

export type StoredTensors = Readonly<Record<string, StoredTensor>>;

/** Loads a model with TensorFlow.js alone and runs it on all inputs, in the current backend. */
export async function runModel(model: io.IOHandler, inputs: readonly StoredTensors[]): Promise<StoredTensors[]> {
  const loaded = await loadGraphModel(model);
  const names = Object.keys((loaded.modelSignature as { outputs: object }).outputs);
  const results: StoredTensors[] = [];
  for (const entry of inputs) {
    const feeds: NamedTensorMap = Object.fromEntries(
      Object.entries(entry).map(([name, { data, dims, dtype }]) => [name, tf.tensor([...data], [...dims], dtype)]),
    );
    const outputs = [loaded.execute(feeds)].flat();
    const values = await Promise.all(outputs.map(stored));
    results.push(Object.fromEntries(values.map((value, i) => [names[i], value])));
    tf.dispose([Object.values(feeds), outputs]);
  }
  loaded.dispose();
  return results;
}

async function stored(tensor: Tensor): Promise<StoredTensor> {
  return { dtype: tensor.dtype as StoredTensor['dtype'], dims: tensor.shape, data: Array.from(await tensor.data()) };
}

/** Largest difference of any output, relative to that output's largest value. Places that are no number must agree. */
export function largestDifference(actual: StoredTensors | undefined, expected: StoredTensors): number {
  return Math.max(
    ...Object.entries(expected).map(([name, { data, dims }]) => {
      const other = actual?.[name];
      if (String(other?.dims) !== String(dims)) return Number.POSITIVE_INFINITY;
      const gaps = data.map((value, i) =>
        Object.is(value, other?.data[i]) ? 0 : Math.abs(value - (other?.data[i] as number)),
      );
      if (gaps.some(Number.isNaN)) return Number.POSITIVE_INFINITY;
      return Math.max(...gaps) / Math.max(...data.map(Math.abs));
    }),
  );
}
