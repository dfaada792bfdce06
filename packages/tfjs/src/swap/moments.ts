import type { AttentionBlock, FitMoments, OutputMoments, Stream } from '@mhe/core';
import { inHeadOrder, isRegular } from '@mhe/core';
import type { Rank, Tensor, Tensor2D, Tensor3D, Tensor4D } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { MomentSum } from './moment-sum.js';

/** Probabilities below this of one key from all queries and heads: it is hidden by the mask. */
const HIDDEN = 1e-8;

/** Sums up what the calibration inputs tell the fit of one block (core's `FitMoments`). */
export class InputMoments {
  private readonly sums = { query: new MomentSum(), key: new MomentSum(), attended: new MomentSum() };

  constructor(private readonly block: AttentionBlock) {}

  /** Values of the graph that {@link InputMoments.add} wants. */
  get values(): readonly string[] {
    const { query, key, value, chain } = this.block;
    const streams = [key.stream, value.stream].flatMap((stream) => (stream ? [stream.value] : []));
    return [...new Set([query.traced.projection.stream, ...streams, chain.probabilities])];
  }

  /** Takes the values of one run. */
  async add(get: (value: string) => Tensor): Promise<void> {
    const { query, key, value } = this.block;
    const { stream, rowAxes, channelAxis, inputDim } = query.traced.projection;
    await this.sums.query.add(tf.tidy(() => withOne(matrix(get(stream), rowAxes, [channelAxis], inputDim))));
    if (!isRegular(key.stream) || !isRegular(value.stream)) return;
    const [keys, values] = [key.stream, value.stream];
    const order = this.headOrder;
    if (!order) return;
    const probabilities = tf.tidy(() => this.probabilities(get(this.block.chain.probabilities), order));
    const centred = tf.tidy(() => centredKeys(regular(get(keys.value), keys), probabilities));
    await this.sums.key.add(centred);
    const attended = tf.tidy(() => mixed(regular(get(values.value), values), probabilities));
    probabilities.dispose();
    await this.sums.attended.add(attended);
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

  /** Where heads stand among the probabilities; `undefined` where that follows no order. */
  private get headOrder(): HeadOrder | undefined {
    const { axes, numHeads, headOfBatch } = this.block;
    if (axes) return 'own axis';
    const batch = headOfBatch.length / numHeads;
    if (headOfBatch.every((head, i) => head === i % numHeads)) return 'batch first';
    return headOfBatch.every((head, i) => head === Math.floor(i / batch)) ? 'head first' : undefined;
  }

  /** The weights of the values as `[batch, head, query, key]`. */
  private probabilities(own: Tensor, order: HeadOrder): Tensor4D {
    const { axes, numHeads } = this.block;
    if (axes) return tf.transpose(own as Tensor4D, [...axes.probabilities]);
    // Heads are merged with the batch.
    const [whole, queries, keys] = own.shape as [number, number, number];
    const batch = whole / numHeads;
    if (order === 'batch first') return tf.reshape<Rank.R4>(own, [batch, numHeads, queries, keys]);
    return tf.transpose(tf.reshape<Rank.R4>(own, [numHeads, batch, queries, keys]), [1, 0, 2, 3]);
  }
}

type HeadOrder = 'own axis' | 'batch first' | 'head first';

/** Sums up what a block's new heads compute against what the original block put out (core's `OutputMoments`). */
export class HeadMoments {
  private readonly features = new MomentSum();
  private readonly targets = new MomentSum();

  constructor(private readonly block: AttentionBlock) {}

  /**
   * Takes one run.
   *
   * @param heads - the operand of the output projection.
   * @param target - the original block's output.
   */
  async add(heads: Tensor, target: Tensor): Promise<void> {
    const { operand, outputAxes, features, outputDim } = this.block.output;
    const rows = tf.tidy(() => withOne(matrix(heads, operand.rowAxes, operand.featureAxes, features.length)));
    const wanted = tf.tidy(() => matrix(target, outputAxes.rowAxes, outputAxes.columnAxes, outputDim).clone());
    await this.targets.add(rows.clone(), wanted);
    await this.features.add(rows);
  }

  async total(): Promise<OutputMoments | undefined> {
    const features = await this.features.total();
    const targets = await this.targets.total();
    return features && targets && inHeadOrder({ features, targets }, this.block.output.features);
  }

  dispose(): void {
    this.features.dispose();
    this.targets.dispose();
  }
}

/** A value as `[rows, columns]`, its axes split as told. */
function matrix(value: Tensor, rowAxes: readonly number[], columnAxes: readonly number[], columns: number): Tensor2D {
  return tf.reshape(tf.transpose(value, [...rowAxes, ...columnAxes]), [-1, columns]);
}

/** A feature that is always 1, at the end. */
function withOne<T extends Tensor>(value: T): T {
  return tf.pad(
    value,
    value.shape.map((_, axis) => [0, Number(axis === value.rank - 1)] as [number, number]),
    1,
  );
}

/** A stream as `[batch, sequence, channel]`. */
function regular(value: Tensor, { axes, channels }: Stream): Tensor3D {
  const at = (part: string) => axes.flatMap((axis, i) => (axis === part ? [i] : []));
  const batch = value.shape[axes.indexOf('batch')] as number;
  const ordered = tf.transpose(value, [...at('batch'), ...at('sequence'), ...at('channel')]);
  return tf.reshape(ordered, [batch, -1, channels]);
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
