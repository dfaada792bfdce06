// The port against core's float64 interpretation, and core's forms on it against the definition written as loops.
import {
  additiveMaskRule,
  booleanMaskRule,
  combineRules,
  type Float64Tensor,
  factorisedMhe,
  float64Port,
  float64Tensor,
  foldedMhe,
  foldMhe,
  mha,
  mhe,
  type ScoreRules,
  scaleRule,
  seededRandom,
  type TensorPort,
} from '@mhe/core';
import { tfjsPort } from '@mhe/tfjs';
import { cast, grads, keep, memory, mul, reshape, sum, type Tensor, tensor, tidy } from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { beforeAll, expect, it } from 'vitest';
import { type Layout, layouts, randomMha, randomMhe, randomStreams } from '../../core/test/attention-cases.js';
import { referenceAttention, relativeError, type Score } from '../../core/test/attention-reference.js';
import { browserBackends, type TestBackend, tolerances, useBackend } from './backends.js';
import { differences } from './differences.js';
import { randomFloat64, toFloat64, toTfjs } from './float64.js';

/** One result of the port in terms that both interpretations share. */
interface Operation {
  readonly name: string;
  readonly inputs: readonly (readonly number[])[];
  apply<T>(port: TensorPort<T>, inputs: readonly T[]): T;
}

const operations: readonly Operation[] = [
  {
    name: 'add',
    inputs: [
      [2, 1, 3],
      [4, 1],
    ],
    apply: (port, [a, b]) => port.add(a as never, b as never),
  },
  { name: 'sub', inputs: [[2, 3], [3]], apply: (port, [a, b]) => port.sub(a as never, b as never) },
  {
    name: 'mul',
    inputs: [
      [5, 2, 1],
      [2, 3],
    ],
    apply: (port, [a, b]) => port.mul(a as never, b as never),
  },
  { name: 'div', inputs: [[2, 3], []], apply: (port, [a, b]) => port.div(a as never, port.exp(b as never)) },
  { name: 'exp', inputs: [[2, 3]], apply: (port, [a]) => port.exp(a as never) },
  { name: 'softmax', inputs: [[2, 3, 5]], apply: (port, [a]) => port.softmax(a as never) },
  { name: 'max over the last axis', inputs: [[2, 3, 5]], apply: (port, [a]) => port.max(a as never, [-1]) },
  { name: 'max over two axes', inputs: [[2, 3, 5]], apply: (port, [a]) => port.max(a as never, [0, 2]) },
  { name: 'mean over two axes', inputs: [[2, 3, 5]], apply: (port, [a]) => port.mean(a as never, [0, -1]) },
  { name: 'sqrt', inputs: [[2, 3]], apply: (port, [a]) => port.sqrt(port.exp(a as never)) },
  { name: 'reshape', inputs: [[2, 3, 4]], apply: (port, [a]) => port.reshape(a as never, [0, -1, 2, 1]) },
  { name: 'unsqueeze', inputs: [[2, 3]], apply: (port, [a]) => port.unsqueeze(a as never, [0, -1, 2]) },
  { name: 'transpose', inputs: [[2, 3, 4, 5]], apply: (port, [a]) => port.transpose(a as never, [2, 0, 3, 1]) },
  {
    name: 'concat',
    inputs: [
      [2, 3],
      [2, 1],
    ],
    apply: (port, parts) => port.concat(parts, 1),
  },
  { name: 'split', inputs: [[2, 6, 3]], apply: (port, [a]) => port.split(a as never, [1, 3, 2], 1)[1] as never },
  { name: 'gather', inputs: [[2, 4, 3]], apply: (port, [a]) => port.gather(a as never, [2, 3, 0, 0, 1], 1) },
  {
    name: 'gather of an inner axis of five',
    inputs: [[2, 1, 2, 3, 2]],
    apply: (port, [a]) => port.gather(a as never, [2, 0, 0], 3),
  },
  { name: 'gather of one run', inputs: [[2, 4]], apply: (port, [a]) => port.gather(a as never, [1, 2], 1) },
  ...[
    [
      [3, 4],
      [4, 2],
    ],
    [
      [5, 3, 4],
      [4, 2],
    ],
    [
      [3, 4],
      [5, 4, 2],
    ],
    [
      [2, 3, 4, 5],
      [2, 3, 5, 6],
    ],
    [
      [2, 3, 4, 5],
      [2, 1, 5, 6],
    ],
    [
      [2, 1, 4, 5],
      [2, 3, 5, 6],
    ],
    [
      [2, 1, 4, 5],
      [1, 3, 5, 6],
    ],
    [
      [3, 4, 5],
      [2, 3, 5, 1],
    ],
    [
      [1, 2, 3, 4],
      [3, 1, 4, 2],
    ],
    [
      [3, 48, 40],
      [3, 40, 44],
    ],
  ].map(
    (inputs): Operation => ({
      name: `matMul of ${inputs.map((dims) => `[${dims}]`).join(' and ')}`,
      inputs,
      apply: (port, [a, b]) => port.matMul(a as never, b as never),
    }),
  ),
];

/** Streams, masks and their meaning for single scores, in both interpretations. */
const masks = {
  none: { hide: 0, rule: () => null },
  boolean: {
    hide: Number.NEGATIVE_INFINITY,
    rule: (allowed: Tensor) => booleanMaskRule(tfjsPort, cast(allowed, 'bool')),
  },
  additive: {
    hide: -1e4,
    rule: (allowed: Tensor) => additiveMaskRule(tfjsPort, mul(tfjsPort.sub(allowed, tensor(1)), 1e4)),
  },
} satisfies Record<string, { hide: number; rule(allowed: Tensor): ScoreRules<Tensor> | null }>;

const forms = [
  { name: 'mha', weights: randomMha, block: mha },
  { name: 'MHE-MUL', weights: (layout: Layout) => randomMhe(layout, 'mul'), block: mhe },
  { name: 'MHE-ADD', weights: (layout: Layout) => randomMhe(layout, 'add'), block: mhe },
  { name: 'MUL folded', weights: (layout: Layout) => foldMhe(randomMhe(layout, 'mul')), block: foldedMhe },
  { name: 'ADD folded', weights: (layout: Layout) => foldMhe(randomMhe(layout, 'add')), block: foldedMhe },
  { name: 'ADD factorised', weights: (layout: Layout) => foldMhe(randomMhe(layout, 'add')), block: factorisedMhe },
] as const;

export function testPort(backend: TestBackend): void {
  const tolerance = tolerances[backend];
  beforeAll(() => useBackend(backend));

  it.each(operations)('$name computes what float64 does', async ({ inputs, apply }) => {
    const random = seededRandom(3);
    const values = inputs.map((dims) => randomFloat64(dims, random));
    const result = tidy(() => apply(tfjsPort, values.map(toTfjs)));
    expect(relativeError(await toFloat64(result), apply(float64Port, values))).toBeLessThan(tolerance);
    result.dispose();
  });

  it.each(operations)('$name has the gradient of finite differences', async ({ inputs, apply }) => {
    const random = seededRandom(4);
    const values = inputs.map((dims) => randomFloat64(dims, random));
    const weights = randomFloat64(apply(float64Port, values).dims, random);
    const loss = (...tensors: Tensor[]) => sum(mul(apply(tfjsPort, tensors), toTfjs(weights)));
    const gradients = tidy(() => grads(loss as never)(values.map(toTfjs)));
    for (const [position, gradient] of gradients.entries()) {
      const all = await toFloat64(gradient);
      // A few hundred are enough of a large one; the stride meets every row and column.
      const stride = all.data.length > 1000 ? 17 : 1;
      const places = [...all.data.keys()].filter((i) => i % stride === 0);
      const actual = float64Tensor(
        Float64Array.from(places, (i) => all.data[i] as number),
        [places.length],
      );
      const expected = differences(values, position, (moved) => dot(apply(float64Port, moved), weights), places);
      expect(relativeError(actual, expected), `gradient of input ${position}`).toBeLessThan(Math.max(tolerance, 1e-5));
      gradient.dispose();
    }
  });

  it('tells not-a-number and chooses by it', async () => {
    const result = tidy(() => {
      const a = tensor([1, Number.NaN, -2]);
      return tfjsPort.where(tfjsPort.isNaN(a), tensor([7]), a);
    });
    expect([...(await result.data())]).toEqual([1, 7, -2]);
    result.dispose();
  });

  it('takes one array as the right side of products of several shapes', async () => {
    const values = randomFloat64([2, 8], seededRandom(5));
    const left = { tall: randomFloat64([3, 2], seededRandom(6)), wide: randomFloat64([3, 4], seededRandom(7)) };
    const [tall, wide] = tidy(() => {
      const b = toTfjs(values);
      return [tfjsPort.matMul(toTfjs(left.tall), b), tfjsPort.matMul(toTfjs(left.wide), reshape(b, [4, 4]))] as const;
    });
    expect(relativeError(await toFloat64(tall), float64Port.matMul(left.tall, values))).toBeLessThan(tolerance);
    const reshaped = float64Tensor(values.data, [4, 4]);
    expect(relativeError(await toFloat64(wide), float64Port.matMul(left.wide, reshaped))).toBeLessThan(tolerance);
    for (const result of [tall, wide]) result.dispose();
  });

  it('refuses products whose shapes do not fit', () => {
    const [a, b] = [tensor([[1, 2, 3]]), tensor([[1, 2]])];
    expect(() => tfjsPort.matMul(a, b)).toThrow('matMul: cannot multiply [1, 3] by [1, 2]');
    expect(() => tfjsPort.matMul(reshape(a, [1, 1, 3]), tensor([1, 2, 3]))).toThrow('matMul: cannot multiply');
    for (const each of [a, b]) each.dispose();
  });

  it.each(forms)('$name computes the definition', async ({ weights, block }) => {
    await fc.assert(
      fc.asyncProperty(
        layouts,
        fc.constantFrom(...(Object.keys(masks) as (keyof typeof masks)[])),
        async (layout, name) => {
          const { batch, keys, scale } = layout;
          // The first key stays, so that no row is left without any.
          const kept = (key: number) => key % 3 !== 1;
          const streams = randomStreams(layout);
          const drawn = weights(layout);
          const score: Score = (product, _batch, _head, _query, key) =>
            product * scale + (kept(key) ? 0 : masks[name].hide);
          const before = memory().numTensors;
          const out = tidy(() => {
            const allowed = toTfjs(
              float64Tensor(
                Float64Array.from({ length: batch * keys }, (_, i) => (kept(i % keys) ? 1 : 0)),
                [batch, 1, 1, keys],
              ),
            );
            const mask = masks[name].rule(allowed);
            const rules = combineRules([scaleRule(tfjsPort, scale), ...(mask ? [mask] : [])]);
            const shared = new Map<Float64Tensor, Tensor>();
            const once = (stream: Float64Tensor) => {
              const known = shared.get(stream) ?? toTfjs(stream);
              shared.set(stream, known);
              return known;
            };
            const inputs = { query: once(streams.query), key: once(streams.key), value: once(streams.value) };
            return block(tfjsPort, drawn as never, inputs, rules);
          });
          expect(memory().numTensors).toBe(before + 1);
          expect(relativeError(await toFloat64(keep(out)), referenceAttention(drawn, streams, score))).toBeLessThan(
            20 * tolerance,
          );
          out.dispose();
        },
      ),
      // Every shape is a shader to compile in a browser.
      { numRuns: (browserBackends as readonly string[]).includes(backend) ? 3 : 15, seed: 2 },
    );
  });
}

function dot(a: Float64Tensor, b: Float64Tensor): number {
  return a.data.reduce((total, x, i) => total + x * (b.data[i] as number), 0);
}
