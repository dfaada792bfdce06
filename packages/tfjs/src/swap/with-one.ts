import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';

/** A feature that is always 1, at the end. */
export function withOne<T extends Tensor>(value: T): T {
  return tf.pad(
    value,
    value.shape.map((_, axis) => [0, Number(axis === value.rank - 1)] as [number, number]),
    1,
  );
}
