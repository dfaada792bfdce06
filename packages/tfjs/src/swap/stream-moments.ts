import type { FitMoments } from '@mhe/core';
import type { Tensor2D, Tensor3D, Tensor4D } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { MomentSum } from './moment-sum.js';
import { withOne } from './with-one.js';

/** Probabilities below this of one key from all queries and heads: it is hidden by the mask. */
const HIDDEN = 1e-8;

/** Sums up what an attention block's inputs tell the fit (core's `FitMoments`). The tensors stay the caller's. */
export class StreamMoments {
  private readonly sums = { query: new MomentSum(), key: new MomentSum(), attended: new MomentSum() };

  /** Takes what the query projection reads, `[rows, channel]`. */
  async addQueries(rows: Tensor2D): Promise<void> {
    await this.sums.query.add(tf.tidy(() => withOne(rows)));
  }

  /**
   * Takes what keys and values are made of, `[batch, keys, channel]` each.
   *
   * @param probabilities - `[batch, heads, queries, keys]`.
   */
  async addKeysAndValues(keys: Tensor3D, values: Tensor3D, probabilities: Tensor4D): Promise<void> {
    await this.sums.key.add(tf.tidy(() => centredKeys(keys, probabilities)));
    await this.sums.attended.add(tf.tidy(() => mixed(values, probabilities)));
  }

  async total(): Promise<FitMoments> {
    const [query, key, attended] = [
      await this.sums.query.total(),
      await this.sums.key.total(),
      await this.sums.attended.total(),
    ];
    return { ...(query && { query }), ...(key && { key }), ...(attended && { attended }) };
  }

  dispose(): void {
    for (const sum of Object.values(this.sums)) sum.dispose();
  }
}

/** Keys that some query sees, the mean of their sequence taken off, others zero: `[batch * keys, channel]`. */
function centredKeys(stream: Tensor3D, probabilities: Tensor4D): Tensor2D {
  const seen = tf.expandDims(tf.cast(tf.greater(tf.max(probabilities, [1, 2]), HIDDEN), 'float32'), 2);
  const count = tf.maximum(tf.sum(seen, 1, true), 1);
  const mean = tf.div(tf.sum(tf.mul(stream, seen), 1, true), count);
  const centred = tf.mul(tf.sub(stream, mean), seen);
  return tf.reshape(centred, [-1, stream.shape[2]]);
}

/** What each head's attention makes of a stream, a 1 appended before it mixes: `[batch * heads * queries, channel + 1]`. */
function mixed(stream: Tensor3D, probabilities: Tensor4D): Tensor2D {
  const [batch, heads, queries, keys] = probabilities.shape;
  const extended = withOne(stream);
  const rows = tf.reshape(probabilities, [batch, heads * queries, keys]);
  return tf.reshape(tf.matMul(rows, extended), [-1, stream.shape[2] + 1]);
}
