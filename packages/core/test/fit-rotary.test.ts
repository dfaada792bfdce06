// Queries and keys that are rotated by position, in float64: what shares and what does not, against the scores themselves.
import { type AttentionWeights, expandMhe, fitMhe, type Matrix, type SeededRandom, seededRandom } from '@mhe/core';
import { describe, expect, it } from 'vitest';

const WIDTH = 10;
const HEAD_DIM = 6;
const NUM_HEADS = 4;
const half: readonly (readonly [number, number])[] = [
  [0, 3],
  [1, 4],
  [2, 5],
];

const normal = (random: SeededRandom, rows: number, cols: number): Matrix => ({
  rows,
  cols,
  data: Float64Array.from({ length: rows * cols }, random.normal),
});

/** Turns the features of one row of heads by a position: each plane by an angle of its own. */
function turn(row: Float64Array, position: number, planes: readonly (readonly [number, number])[]): Float64Array {
  const out = row.slice();
  for (let head = 0; head < row.length; head += HEAD_DIM) {
    planes.forEach(([a, b], p) => {
      const angle = position * 0.7 ** p;
      const [x, y] = [row[head + a] as number, row[head + b] as number];
      out[head + a] = x * Math.cos(angle) - y * Math.sin(angle);
      out[head + b] = y * Math.cos(angle) + x * Math.sin(angle);
    });
  }
  return out;
}

function project({ weight, bias }: AttentionWeights['query'], x: Float64Array): Float64Array {
  return Float64Array.from({ length: weight.cols }, (_, col) =>
    x.reduce((sum, value, row) => sum + value * (weight.data[row * weight.cols + col] as number), bias?.[col] ?? 0),
  );
}

/** The scores of every head between some inputs at some positions, each row less its mean: what softmax sees. */
function scores(weights: AttentionWeights, planes: readonly (readonly [number, number])[], seed: number): number[] {
  const random = seededRandom(seed);
  const inputs = Array.from({ length: 7 }, () => Float64Array.from({ length: WIDTH }, random.normal));
  const queries = inputs.map((x, at) => turn(project(weights.query, x), at * 1.3, planes));
  const keys = inputs.map((x, at) => turn(project(weights.key, x), at * 1.3, planes));
  return Array.from({ length: weights.numHeads }, (_, head) => {
    const cut = (row: Float64Array) => row.subarray(head * HEAD_DIM, (head + 1) * HEAD_DIM);
    return queries.flatMap((query) => {
      const row = keys.map((key) => cut(query).reduce((sum, x, f) => sum + x * (cut(key)[f] as number), 0));
      const mean = row.reduce((sum, x) => sum + x, 0) / row.length;
      return row.map((x) => x - mean);
    });
  }).flat();
}

/** Heads that share up to a gain for each plane, each then turned and sized by its own amount in each plane. */
function plantedWeights(seed: number, groups: readonly number[], bias: boolean): AttentionWeights {
  const random = seededRandom(seed);
  const count = Math.max(...groups) + 1;
  const shared = Array.from({ length: count }, () => ({
    query: normal(random, WIDTH + 1, HEAD_DIM),
    key: normal(random, WIDTH + 1, HEAD_DIM),
  }));
  const made = {
    query: normal(random, WIDTH + 1, NUM_HEADS * HEAD_DIM),
    key: normal(random, WIDTH + 1, NUM_HEADS * HEAD_DIM),
  };
  groups.forEach((group, head) => {
    for (const [a, b] of half) {
      const gain = random.normal();
      const [angle, size] = [random.uniform() * 6, 0.5 + random.uniform()];
      for (const [side, factor] of [
        ['query', gain * size],
        ['key', 1 / size],
      ] as const) {
        const { data, rows } = (shared[group] as (typeof shared)[number])[side];
        for (let r = 0; r < rows; r++) {
          const [x, y] = [data[r * HEAD_DIM + a] as number, data[r * HEAD_DIM + b] as number];
          const at = r * NUM_HEADS * HEAD_DIM + head * HEAD_DIM;
          made[side].data[at + a] = factor * (x * Math.cos(angle) - y * Math.sin(angle));
          made[side].data[at + b] = factor * (y * Math.cos(angle) + x * Math.sin(angle));
        }
      }
    }
  });
  const projection = ({ cols, data }: Matrix) => ({
    weight: { rows: WIDTH, cols, data: data.slice(0, WIDTH * cols) },
    bias: bias ? data.slice(WIDTH * cols) : null,
  });
  return {
    numHeads: NUM_HEADS,
    headDim: HEAD_DIM,
    valueHeadDim: 2,
    scale: 1,
    query: projection(made.query),
    key: projection(made.key),
    value: { weight: normal(random, WIDTH, NUM_HEADS * 2), bias: null },
    output: { weight: normal(random, NUM_HEADS * 2, WIDTH), bias: null },
    rotary: { planes: half },
  };
}

function largest(actual: readonly number[], expected: readonly number[]): number {
  const scale = Math.max(...expected.map(Math.abs));
  return Math.max(...actual.map((x, i) => Math.abs(x - (expected[i] as number)))) / scale;
}

/** Second moment of `[x, 1]` over inputs that vary more in some directions than in others. */
function moment(seed: number): Matrix {
  const random = seededRandom(seed);
  const size = WIDTH + 1;
  const data = new Float64Array(size * size);
  for (let i = 0; i < 200; i++) {
    const x = [...Array.from({ length: WIDTH }, (_, at) => (random.normal() + 0.3) / (1 + at)), 1];
    for (let r = 0; r < size; r++)
      for (let c = 0; c < size; c++)
        data[r * size + c] = (data[r * size + c] as number) + (x[r] as number) * (x[c] as number);
  }
  return { rows: size, cols: size, data };
}

describe('the fit of heads that are rotated by position', () => {
  const cases: [string, boolean, object][] = [
    ['with biases', true, {}],
    ['without biases', false, {}],
    ['with biases, weighed by calibration', true, { query: moment(1), keyInput: moment(1) }],
    ['without biases, weighed by calibration', false, { query: moment(2), keyInput: moment(2) }],
  ];
  it.each(cases)('brings heads back that share in every plane, %s', async (_, bias, moments) => {
    const groups = [0, 1, 0, 1];
    const weights = plantedWeights(5, groups, bias);
    const fit = await fitMhe(weights, { groups: { queryKey: 2, value: 'heads' }, moments });
    expect(fit.weights.groups.queryKey).toEqual(groups);
    expect(fit.queryKeyError.overall).toBeLessThan(1e-12);
    expect(largest(scores(expandMhe(fit.weights), half, 9), scores(weights, half, 9))).toBeLessThan(1e-6);
    expect(fit.weights.key.bias === null).toBe(!bias);
    const gain = fit.weights.queryGain as Matrix;
    for (let head = 0; head < NUM_HEADS; head++) {
      for (const [a, b] of half) expect(gain.data[head * HEAD_DIM + a]).toBe(gain.data[head * HEAD_DIM + b]);
    }
  });

  it('does not bring back heads that share nothing, and says how much is lost', async () => {
    const weights = plantedWeights(6, [0, 1, 2, 3], false);
    const fit = await fitMhe(weights, { groups: { queryKey: 1, value: 'heads' } });
    expect(fit.queryKeyError.overall).toBeGreaterThan(0.3);
    expect(largest(scores(expandMhe(fit.weights), half, 9), scores(weights, half, 9))).toBeGreaterThan(0.1);
  });

  it('would be wrong without heed to the planes', async () => {
    const { rotary: _, ...weights } = plantedWeights(5, [0, 0, 0, 0], false);
    const fit = await fitMhe(weights, { groups: { queryKey: 1, value: 'heads' } });
    expect(fit.queryKeyError.overall).toBeLessThan(1e-6);
    expect(largest(scores(expandMhe(fit.weights), half, 9), scores(weights, half, 9))).toBeGreaterThan(1e-2);
  });

  it('takes features that are not rotated as it does without a rotation', async () => {
    const planes = half.slice(0, 2);
    const weights = { ...plantedWeights(7, [0, 0, 0, 0], false), rotary: { planes } };
    const fit = await fitMhe(weights, { groups: { queryKey: 1, value: 'heads' } });
    expect(fit.queryKeyError.overall).toBeLessThan(1e-6);
    expect(largest(scores(expandMhe(fit.weights), planes, 9), scores(weights, planes, 9))).toBeLessThan(1e-3);
  });

  it('has no MHE-ADD, which does not commute with a rotation', async () => {
    const weights = plantedWeights(5, [0, 0, 0, 0], false);
    await expect(fitMhe(weights, { groups: 1, embedding: 'add' })).rejects.toThrow(/MHE-ADD: .*rotated by position/);
  });
});

describe('the fit of heads that share keys already', () => {
  const keyValueGroups = { queryKey: [0, 0, 1, 1], value: [0, 0, 1, 1] };

  /** Pairs of heads with one key and one value, each head's query its own. */
  function grouped(seed: number, turned: boolean): AttentionWeights {
    const { rotary, ...weights } = plantedWeights(seed, [0, 1, 2, 3], true);
    const pair = (matrix: Matrix, size: number): Matrix => ({
      ...matrix,
      data: matrix.data.map((_, i) => {
        const col = i % matrix.cols;
        return matrix.data[i - col + (Math.floor(col / size) & ~1) * size + (col % size)] as number;
      }),
    });
    const bias = weights.key.bias && pair({ rows: 1, cols: weights.key.bias.length, data: weights.key.bias }, HEAD_DIM);
    return {
      ...weights,
      key: { weight: pair(weights.key.weight, HEAD_DIM), bias: bias?.data ?? null },
      value: { weight: pair(weights.value.weight, 2), bias: null },
      keyValueGroups,
      ...(turned && { rotary: rotary as NonNullable<typeof rotary> }),
    };
  }

  it.each([true, false])('changes nothing at the number of groups that the model has (rotated: %s)', async (turned) => {
    const weights = grouped(3, turned);
    const { weights: fitted } = await fitMhe(weights, { groups: 2 });
    expect(fitted.groups).toEqual({ query: [0, 1, 2, 3], ...keyValueGroups });
    expect(expandMhe(fitted).query).toEqual(weights.query);
    expect(expandMhe(fitted).key).toEqual(weights.key);
    expect(expandMhe(fitted).value).toEqual(weights.value);
  });

  it.each([true, false])('keeps the queries of each head over fewer keys (rotated: %s)', async (turned) => {
    const planes = turned ? half : [];
    const weights = grouped(3, turned);
    const { weights: fitted, queryKeyError } = await fitMhe(weights, { groups: { queryKey: 1, value: 2 } });
    expect(fitted.groups.queryKey).toEqual([0, 0, 0, 0]);
    expect(fitted.query.weight.cols).toBe(NUM_HEADS * HEAD_DIM);
    expect(fitted.key.weight.cols).toBe(HEAD_DIM);
    expect(queryKeyError.overall).toBeGreaterThan(0.01);
    const error = largest(scores(expandMhe(fitted), planes, 9), scores(weights, planes, 9));
    expect(error).toBeGreaterThan(1e-2);
    expect(error).toBeLessThan(1);
  });

  it.each([true, false])(
    'loses nothing where the pairs have the same keys in other bases (rotated: %s)',
    async (turned) => {
      const planes = turned ? half : [];
      const own = grouped(3, turned);
      // The second pair's keys: the first pair's, turned and sized in each plane.
      const source = own.key.weight.data;
      const data = source.slice();
      const { cols } = own.key.weight;
      for (let r = 0; r < WIDTH; r++) {
        for (const head of [2, 3]) {
          half.forEach(([a, b], p) => {
            const [x, y] = [source[r * cols + a] as number, source[r * cols + b] as number];
            const at = r * cols + head * HEAD_DIM;
            data[at + a] = 1.4 * (x * Math.cos(p + 1) - y * Math.sin(p + 1));
            data[at + b] = 1.4 * (y * Math.cos(p + 1) + x * Math.sin(p + 1));
          });
        }
      }
      const weights = { ...own, key: { weight: { ...own.key.weight, data }, bias: null } };
      const { weights: fitted, queryKeyError } = await fitMhe(weights, { groups: { queryKey: 1, value: 2 } });
      expect(queryKeyError.overall).toBeLessThan(1e-10);
      expect(largest(scores(expandMhe(fitted), planes, 9), scores(weights, planes, 9))).toBeLessThan(1e-6);
    },
  );
});
