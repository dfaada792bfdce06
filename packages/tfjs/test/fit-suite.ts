// Training with `fit` on one backend, against the same training on cpu.
import { seededRandom } from '@mhe/core';
import { memory, type Tensor, tidy, train } from '@tensorflow/tfjs-core';
import { input, type LayersModel, layers, model, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { expect, it } from 'vitest';
import { type TestBackend, useBackend } from './backends.js';
import { type AttentionKind, kinds, randomise, randomTensor } from './layer-kinds.js';

const rows = 24;

/** Self-attention, then attention of what it gives over another stream, to two numbers. */
function regression({ make }: AttentionKind, args: object): LayersModel {
  const [query, value] = [input({ shape: [5, 6] }), input({ shape: [4, 7] })] as const;
  const attended = make(args).apply(query, { useCausalMask: true }) as SymbolicTensor;
  const crossed = make(args).apply([attended, value]) as SymbolicTensor;
  const sum = layers.add().apply([attended, crossed]) as SymbolicTensor;
  const pooled = layers.flatten().apply(sum) as SymbolicTensor;
  const built = model({ inputs: [query, value], outputs: layers.dense({ units: 2 }).apply(pooled) as SymbolicTensor });
  randomise(built, 3);
  return built;
}

/** The losses of a few epochs; everything random comes from seeds. */
async function losses(backend: TestBackend, kind: AttentionKind, args: object): Promise<number[]> {
  await useBackend(backend);
  const before = memory().numTensors;
  const built = regression(kind, args);
  const random = seededRandom(5);
  const x: Tensor[] = [randomTensor(random, [rows, 5, 6]), randomTensor(random, [rows, 4, 7])];
  const y = randomTensor(random, [rows, 2]);
  const optimizer = train.adam(0.02);
  built.compile({ optimizer, loss: 'meanSquaredError' });
  const { history } = await built.fit(x, y, { epochs: 8, batchSize: 8, shuffle: false, verbose: 0 });
  const kept = tidy(() => memory().numTensors);
  await built.fit(x, y, { epochs: 1, batchSize: 8, shuffle: false, verbose: 0 });
  expect(memory().numTensors).toBe(kept);
  for (const tensor of [...x, y]) tensor.dispose();
  built.dispose();
  optimizer.dispose();
  expect(memory().numTensors).toBe(before);
  return history.loss as number[];
}

/** What training with the layers is like: all kinds, and dropout by seed, where MHE-ADD takes its definition. */
const trainings = [
  ...kinds.map((kind) => ({ ...kind, args: {} })),
  ...kinds.map((kind) => ({ ...kind, name: `${kind.name} with dropout`, args: { dropout: 0.2, seed: 8 } })),
];

/**
 * @param names - of the trainings to run. Default: all.
 */
export function testFit(backend: TestBackend, names = trainings.map(({ name }) => name)): void {
  it.each(trainings.filter(({ name }) => names.includes(name)))('$name learns, as on cpu', async (training) => {
    const expected = await losses('cpu', training, training.args);
    const actual = await losses(backend, training, training.args);
    expect(actual.at(-1)).toBeLessThan(0.6 * (actual[0] as number));
    for (const [epoch, loss] of actual.entries()) {
      expect(Math.abs(loss / (expected[epoch] as number) - 1), `epoch ${epoch}`).toBeLessThan(1e-3);
    }
  });
}
