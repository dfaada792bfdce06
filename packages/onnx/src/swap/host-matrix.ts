import type { Matrix, NumberTensor, Stream } from '@mhe/core';
import type { HostTensor, HostTensors } from '../run/host-tensor.js';
import { hostNumbers } from '../run/host-tensor.js';

/** The sequences of a stream, `[keys, keyDim]` each, over calibration inputs that hold it; none where they do not. */
export function* keySequences(stream: Stream | undefined, values: readonly HostTensors[]): Generator<Matrix> {
  if (!stream) return;
  for (const entry of values) {
    const tensor = entry[stream.value];
    if (tensor) yield* sequencesOf(tensor, stream);
  }
}

function* sequencesOf(tensor: HostTensor, stream: Stream): Generator<Matrix> {
  const numbers = hostNumbers(tensor);
  const { dims } = tensor;
  const size = (part: string) =>
    stream.axes.reduce((count, axis, at) => (axis === part ? count * (dims[at] as number) : count), 1);
  const [batch, rows, cols] = [size('batch'), size('sequence'), size('channel')];
  const sequences = Array.from({ length: batch }, () => new Float64Array(rows * cols));
  const index = new Array<number>(dims.length).fill(0);
  for (const number of numbers) {
    const at = { batch: 0, sequence: 0, channel: 0 };
    stream.axes.forEach((axis, i) => {
      at[axis] = at[axis] * (dims[i] as number) + (index[i] as number);
    });
    (sequences[at.batch] as Float64Array)[at.sequence * cols + at.channel] = number;
    for (let axis = dims.length - 1; axis >= 0; axis--) {
      index[axis] = (index[axis] as number) + 1;
      if ((index[axis] as number) < (dims[axis] as number)) break;
      index[axis] = 0;
    }
  }
  for (const data of sequences) yield { rows, cols, data };
}

/** A tensor's numbers, for core. */
export function numberTensor(tensor: HostTensor): NumberTensor {
  return { dims: tensor.dims, numbers: hostNumbers(tensor) };
}
