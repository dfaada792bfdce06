import type { AttentionBlock, FitMoments, OutputMoments, Stream } from '@mhe/core';
import { inHeadOrder, isRegular } from '@mhe/core';
import type { Rank, Tensor, Tensor2D, Tensor3D, Tensor4D } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { OutputSums } from './output-sums.js';
import { StreamMoments } from './stream-moments.js';

/** Sums up what the calibration inputs tell the fit of one block (core's `FitMoments`). */
export class InputMoments {
  private readonly sums = new StreamMoments();

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
    const rows = tf.tidy(() => matrix(get(stream), rowAxes, [channelAxis], inputDim).clone());
    try {
      await this.sums.addQueries(rows);
    } finally {
      rows.dispose();
    }
    if (!isRegular(key.stream) || !isRegular(value.stream)) return;
    const [ofKey, ofValue] = [key.stream, value.stream];
    const order = this.headOrder;
    if (!order) return;
    const [keys, values, probabilities] = tf.tidy(() => [
      regular(get(ofKey.value), ofKey).clone(),
      regular(get(ofValue.value), ofValue).clone(),
      this.probabilities(get(this.block.chain.probabilities), order).clone(),
    ]) as [Tensor3D, Tensor3D, Tensor4D];
    try {
      await this.sums.addKeysAndValues(keys, values, probabilities);
    } finally {
      tf.dispose([keys, values, probabilities]);
    }
  }

  async total(): Promise<FitMoments> {
    return this.sums.total();
  }

  dispose(): void {
    this.sums.dispose();
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
  private readonly sums: OutputSums;

  /** @param inputs - how many calibration inputs there are. */
  constructor(
    private readonly block: AttentionBlock,
    inputs: number,
  ) {
    this.sums = new OutputSums(inputs);
  }

  /**
   * Takes one run.
   *
   * @param input - number of the calibration input.
   * @param heads - the operand of the output projection.
   * @param target - the original block's output.
   */
  async add(input: number, heads: Tensor, target: Tensor): Promise<void> {
    const { operand, outputAxes, features, outputDim } = this.block.output;
    const [rows, wanted] = tf.tidy(() => [
      matrix(heads, operand.rowAxes, operand.featureAxes, features.length).clone(),
      matrix(target, outputAxes.rowAxes, outputAxes.columnAxes, outputDim).clone(),
    ]) as [Tensor2D, Tensor2D];
    try {
      await this.sums.add(input, rows, wanted);
    } finally {
      tf.dispose([rows, wanted]);
    }
  }

  async total(): Promise<OutputMoments[]> {
    return (await this.sums.total()).map((part) => inHeadOrder(part, this.block.output.features));
  }

  dispose(): void {
    this.sums.dispose();
  }
}

/** A value as `[rows, columns]`, its axes split as told. */
function matrix(value: Tensor, rowAxes: readonly number[], columnAxes: readonly number[], columns: number): Tensor2D {
  return tf.reshape(tf.transpose(value, [...rowAxes, ...columnAxes]), [-1, columns]);
}

/** A stream as `[batch, sequence, channel]`. */
function regular(value: Tensor, { axes, channels }: Stream): Tensor3D {
  const at = (part: string) => axes.flatMap((axis, i) => (axis === part ? [i] : []));
  const batch = value.shape[axes.indexOf('batch')] as number;
  const ordered = tf.transpose(value, [...at('batch'), ...at('sequence'), ...at('channel')]);
  return tf.reshape(ordered, [batch, -1, channels]);
}
