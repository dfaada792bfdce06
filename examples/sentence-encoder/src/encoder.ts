import type { GraphModel } from '@tensorflow/tfjs-converter';
import { loadGraphModel } from '@tensorflow/tfjs-converter';
import type { io, Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';

/** What the encoder is fed: the places of the pieces in a sparse matrix of sentences, and their numbers. */
export interface EncoderFeed {
  readonly indices: readonly (readonly [sentence: number, place: number])[];
  readonly values: readonly number[];
}

/** One sentence as a feed. The encoder takes piece 0 for a gap, which it cannot have, so it is left out. */
export function feedOf(tokens: readonly number[]): EncoderFeed {
  const values = tokens.filter((token) => token !== 0);
  return { indices: values.map((_, place) => [0, place] as const), values };
}

/** Loads a model with TensorFlow.js alone, into the current backend. */
export function load(model: io.IOHandler): Promise<GraphModel> {
  return loadGraphModel(model);
}

/** Turns a tokenised sentence into a vector of unit length. */
export async function embed(model: GraphModel, tokens: readonly number[]): Promise<Float32Array> {
  const { indices, values } = feedOf(tokens);
  const feeds = {
    indices: tf.tensor2d(
      indices.map(([sentence, place]) => [sentence, place]),
      [indices.length, 2],
      'int32',
    ),
    values: tf.tensor1d([...values], 'int32'),
  };
  const embedding = (await model.executeAsync(feeds)) as Tensor;
  const vector = (await embedding.data()) as Float32Array;
  tf.dispose([embedding, feeds]);
  return vector.slice();
}
