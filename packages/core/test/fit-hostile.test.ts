import { type AttentionWeights, type FitMoments, type FoldedMheWeights, fitMhe, type Matrix } from '@mhe/core';
import { describe, expect, it, vi } from 'vitest';
import { createPace } from '../src/fit/pace.js';
import { type FitCase, plantedHeads, randomMoments, unrelatedHeads } from './fit-cases.js';

const layout: FitCase = {
  seed: 11,
  numHeads: 4,
  headDim: 6,
  valueHeadDim: 5,
  margin: 6,
  biases: true,
  moments: true,
  spread: 0,
};

function numbersOf({ query, key, value, output, queryGain, queryBias }: FoldedMheWeights): number[] {
  const projections = [query, key, value, output].flatMap(({ weight, bias }) => [...weight.data, ...(bias ?? [])]);
  return [...projections, ...(queryGain?.data ?? []), ...(queryBias?.data ?? [])];
}

function change(matrix: Matrix, to: (x: number, row: number, col: number) => number): Matrix {
  return { ...matrix, data: matrix.data.map((x, at) => to(x, Math.floor(at / matrix.cols), at % matrix.cols)) };
}

const random = unrelatedHeads(layout);
const moments = randomMoments(random, 1);
const constantInput = { rows: moments.query.rows, cols: moments.query.cols, data: new Float64Array(13 * 13).fill(1) };
const zero = (matrix: Matrix) => change(matrix, () => 0);
const narrow = { ...layout, margin: -3 };

const cases: readonly [string, AttentionWeights, FitMoments][] = [
  [
    'inputs that never change',
    random,
    { query: constantInput, key: zero(moments.key), attended: { ...constantInput } },
  ],
  [
    'a moment of zeros but for the count',
    random,
    { query: change(moments.query, (_, r, c) => (r === 12 && c === 12 ? 1 : 0)) },
  ],
  [
    'features that are dead',
    random,
    {
      query: change(moments.query, (x, r, c) => ((r % 3 === 0 && r < 12) || (c % 3 === 0 && c < 12) ? 0 : x)),
      key: change(moments.key, (x, r, c) => (r < 10 || c < 10 ? 0 : x)),
      attended: change(moments.attended, (x, r, c) => (r < 8 || c < 8 ? 0 : x)),
    },
  ],
  [
    'moments in float32, a little indefinite',
    random,
    {
      query: { ...moments.query, data: moments.query.data.map((x) => Math.fround(x) * (1 + 1e-7 * Math.sin(1e6 * x))) },
    },
  ],
  [
    'heads of zeros',
    { ...random, query: { weight: change(random.query.weight, (x, _, c) => (c < 12 ? 0 : x)), bias: null } },
    moments,
  ],
  [
    'only one head that is not zero',
    {
      ...random,
      query: { weight: change(random.query.weight, (x, _, c) => (c < 18 ? 0 : x)), bias: null },
      output: { ...random.output, weight: change(random.output.weight, (x, r) => (r < 15 ? 0 : x)) },
    },
    {},
  ],
  ['queries of zeros', { ...random, query: { weight: zero(random.query.weight), bias: null } }, moments],
  ['values of zeros', { ...random, value: { weight: zero(random.value.weight), bias: null } }, moments],
  ['an output of zeros', { ...random, output: { weight: zero(random.output.weight), bias: null } }, moments],
  ['heads all alike', plantedHeads({ ...layout, spread: 0 }, 'add'), {}],
  [
    'heads of rank one',
    { ...random, key: { weight: change(random.key.weight, (_, r) => r + 1), bias: null } },
    moments,
  ],
  ['streams narrower than a head', unrelatedHeads(narrow), {}],
  [
    'numbers of 1e-150',
    { ...random, query: { weight: change(random.query.weight, (x) => x * 1e-150), bias: null } },
    {},
  ],
];

describe.each(['mul', 'add'] as const)('a fit (%s) that has little to go by', (embedding) => {
  it.each(cases)('gives numbers for %s', async (_, weights, given) => {
    for (const groups of [1, 2]) {
      const fit = await fitMhe(weights, { groups, embedding, moments: given });
      expect(numbersOf(fit.weights).every(Number.isFinite)).toBe(true);
      for (const { overall, perGroup } of [fit.queryKeyError, fit.valueError]) {
        for (const error of [overall, ...perGroup]) {
          expect(error).toBeGreaterThanOrEqual(0);
          expect(error).toBeLessThanOrEqual(1);
        }
      }
    }
  });
});

describe('a fit', () => {
  it('is the same to the bit each time, and another for another seed', async () => {
    const one = await fitMhe(random, { moments });
    expect(await fitMhe(random, { moments })).toEqual(one);
    const other = await fitMhe(random, { moments, seed: 1 });
    expect(other.weights.query).not.toEqual(one.weights.query);
  });

  it('says which moments it went without', async () => {
    expect((await fitMhe(random)).withoutMoments).toEqual(['query', 'key', 'attended']);
    expect((await fitMhe(random, { moments: { key: moments.key } })).withoutMoments).toEqual(['query', 'attended']);
    const { withoutMoments } = await fitMhe(random, { groups: { queryKey: 'heads', value: 2 } });
    expect(withoutMoments).toEqual(['attended']);
    expect((await fitMhe(random, { moments })).withoutMoments).toEqual([]);
  });

  it('takes sums and means alike', async () => {
    const sum = (matrix: Matrix) => change(matrix, (x) => 64 * x);
    const sums = { query: sum(moments.query), key: sum(moments.key), attended: sum(moments.attended) };
    const one = await fitMhe(random, { moments });
    const other = await fitMhe(random, { moments: sums });
    expect(other.queryKeyError.overall / one.queryKeyError.overall).toBeCloseTo(1, 6);
    expect(other.valueError.overall / one.valueError.overall).toBeCloseTo(1, 6);
  });

  it('reports errors that fall, stage by stage', async () => {
    const seen: string[] = [];
    await fitMhe(random, {
      moments,
      groups: 2,
      onProgress: ({ stage, group, groups, error }) => {
        expect(error).toBeGreaterThanOrEqual(0);
        expect(groups).toBe(2);
        if (seen.at(-1) !== `${stage} ${group}`) seen.push(`${stage} ${group}`);
      },
    });
    expect(seen).toEqual(['queryKey 0', 'queryKey 1', 'value 0', 'value 1']);
  });

  it('stops with the signal’s reason', async () => {
    const before = AbortSignal.abort(new Error('enough'));
    await expect(fitMhe(random, { signal: before })).rejects.toThrow('enough');
    const controller = new AbortController();
    const onProgress = () => controller.abort(new Error('seen enough'));
    await expect(fitMhe(random, { moments, signal: controller.signal, onProgress })).rejects.toThrow('seen enough');
  });

  it('lets others run when it has worked for a while, and not before', async () => {
    vi.useFakeTimers();
    try {
      const pace = createPace();
      await pace();
      vi.advanceTimersByTime(30);
      let passed = false;
      const paused = pace().then(() => {
        passed = true;
      });
      await Promise.resolve();
      expect(passed).toBe(false);
      await vi.runAllTimersAsync();
      await paused;
    } finally {
      vi.useRealTimers();
    }
  });

  it('refuses moments of another size, or with no number in them, by name', async () => {
    await expect(fitMhe(random, { moments: { query: moments.key } })).rejects.toThrow(
      /query must be 13 x 13, got 14 x 14/,
    );
    const broken = change(moments.key, (x, r) => (r === 1 ? Number.NaN : x));
    await expect(fitMhe(random, { moments: { key: broken } })).rejects.toThrow(/key holds numbers that are not finite/);
    const empty = zero(moments.attended);
    await expect(fitMhe(random, { moments: { attended: empty } })).rejects.toThrow(/attended must count its positions/);
  });

  it('refuses weights that are not numbers', async () => {
    const weight = change(random.query.weight, (x, r) => (r === 1 ? Number.NaN : x));
    await expect(fitMhe({ ...random, query: { weight, bias: null } })).rejects.toThrow(/not finite/);
  });
});
