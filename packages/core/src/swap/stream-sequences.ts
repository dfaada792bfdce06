import type { Stream } from '../find/stream.js';
import type { Matrix } from '../float64/matrix.js';
import type { NumberTensor } from './difference.js';

/** The sequences of a stream's value, `[length, channels]` each. */
export function streamSequences({ dims, numbers }: NumberTensor, { axes }: Stream): Matrix[] {
  const size = (part: string) =>
    axes.reduce((count, axis, at) => (axis === part ? count * (dims[at] as number) : count), 1);
  const [batch, rows, cols] = [size('batch'), size('sequence'), size('channel')];
  const sequences = Array.from({ length: batch }, () => ({ rows, cols, data: new Float64Array(rows * cols) }));
  const index = new Array<number>(dims.length).fill(0);
  for (let i = 0; i < numbers.length; i++) {
    const at = { batch: 0, sequence: 0, channel: 0 };
    axes.forEach((axis, place) => {
      at[axis] = at[axis] * (dims[place] as number) + (index[place] as number);
    });
    (sequences[at.batch] as Matrix).data[at.sequence * cols + at.channel] = numbers[i] as number;
    for (let axis = dims.length - 1; axis >= 0; axis--) {
      index[axis] = (index[axis] as number) + 1;
      if ((index[axis] as number) < (dims[axis] as number)) break;
      index[axis] = 0;
    }
  }
  return sequences;
}
