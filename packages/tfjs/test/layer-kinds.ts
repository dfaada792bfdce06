// The layers of this package in small, and ways to fill and compare them.
import { type SeededRandom, seededRandom } from '@mhe/core';
import {
  type MultiHeadAttention,
  type MultiHeadAttentionArgs,
  type MultiHeadEmbeddingAttention,
  type MultiHeadEmbeddingAttentionArgs,
  multiHeadAttention,
  multiHeadEmbeddingAttention,
} from '@mhe/tfjs';
import { type Tensor, tidy } from '@tensorflow/tfjs-core';
import { expect } from 'vitest';
import { relativeError } from '../../core/test/attention-reference.js';
import { randomFloat64, toFloat64, toTfjs } from './float64.js';

type CommonArgs = Partial<MultiHeadAttentionArgs & MultiHeadEmbeddingAttentionArgs>;

export const numHeads = 2;

const kind =
  (embedding: 'mul' | 'add') =>
  (args: CommonArgs = {}) =>
    multiHeadEmbeddingAttention({ numHeads, headDim: 3, embedding, embeddingsInitializer: 'randomNormal', ...args });

export interface AttentionKind {
  readonly name: string;
  make(args?: CommonArgs): MultiHeadAttention | MultiHeadEmbeddingAttention;
}

export const kinds: readonly AttentionKind[] = [
  { name: 'MHA', make: (args: CommonArgs = {}) => multiHeadAttention({ numHeads, keyDim: 3, ...args }) },
  { name: 'MHE-MUL', make: kind('mul') },
  { name: 'MHE-ADD', make: kind('add') },
];

export function randomTensor(random: SeededRandom, dims: readonly number[]): Tensor {
  return toTfjs(randomFloat64(dims, random));
}

/** Weights of ordinary size, so that masks and heads make a difference. */
export function randomise(target: { getWeights(): Tensor[]; setWeights(weights: Tensor[]): void }, seed = 1): void {
  const random = seededRandom(seed);
  tidy(() => target.setWeights(target.getWeights().map(({ shape }) => toTfjs(randomFloat64(shape, random, 0.7)))));
}

/** Expects the same shape and numbers, to rounding. */
export async function expectSame(actual: Tensor, expected: Tensor, tolerance = 1e-6): Promise<void> {
  expect(relativeError(await toFloat64(actual), await toFloat64(expected))).toBeLessThan(tolerance);
}

/** Expects the same shape and other numbers. */
export async function expectOther(actual: Tensor, expected: Tensor): Promise<void> {
  const error = relativeError(await toFloat64(actual), await toFloat64(expected));
  expect(error).toBeGreaterThan(1e-5);
  expect(error).toBeLessThan(Number.POSITIVE_INFINITY);
}
