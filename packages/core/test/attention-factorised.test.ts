import {
  additiveMaskRule,
  attendFactorisedMhe,
  boundKeyBiasRange,
  checkFactorisedRange,
  type Float64Tensor,
  type FoldedMheWeights,
  FormError,
  factorisedObstacle,
  factorisedRangeLimit,
  float64Port,
  float64Tensor,
  measureKeyBiasRange,
  scaleRule,
  type TensorPort,
} from '@mhe/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Layout, layouts, randomFolded, randomStreams } from './attention-cases.js';
import { referenceContext, relativeError } from './attention-reference.js';

const layout = fc.sample(layouts, { numRuns: 1, seed: 4 })[0] as Layout;
const scale = scaleRule(float64Port, layout.scale);

describe('the factorised form refuses by name', () => {
  const shifting = randomFolded(layout, { gain: false, bias: true });
  const mask = float64Tensor(new Float64Array(layout.numHeads), [layout.numHeads, 1, 1]);

  it.each([
    { what: 'gains', weights: randomFolded(layout, { gain: true, bias: true }), rules: scale, reason: /gain per head/ },
    {
      what: 'masks per head',
      weights: shifting,
      rules: additiveMaskRule(float64Port, mask, 'per head'),
      reason: /between heads/,
    },
    {
      what: 'steps after the softmax',
      weights: shifting,
      rules: { ...scale, afterSoftmax: (p: Float64Tensor) => p },
      reason: /after the softmax/,
    },
  ])('$what', ({ weights, rules, reason }) => {
    expect(factorisedObstacle(weights, rules)).toMatch(reason);
    const attempt = () => attendFactorisedMhe(float64Port, weights, randomStreams(layout), rules);
    expect(attempt).toThrow(FormError);
    expect(attempt).toThrow(/^factorised: /);
  });

  it('but not what it can express', () => {
    expect(factorisedObstacle(shifting, scale)).toBeNull();
  });
});

describe('the range of the key biases', () => {
  it('is what the heads add to the scores, and stays below its bound', () => {
    fc.assert(
      fc.property(layouts, (drawn) => {
        const weights = randomFolded(drawn, { gain: false, bias: true });
        const { dims, data } = randomStreams(drawn).key;
        const [batch, keys, keyDim] = dims as [number, number, number];
        const sequences = Array.from({ length: batch }, (_, b) => ({
          rows: keys,
          cols: keyDim,
          data: data.slice(b * keys * keyDim, (b + 1) * keys * keyDim),
        }));
        // By the definition: scale * (x Wk + bk) . b of every key, per head and sequence.
        let expected = 0;
        let largestDistance = 0;
        for (const { data: rows } of sequences) {
          for (let head = 0; head < drawn.numHeads; head++) {
            const biases = Array.from({ length: keys }, (_, key) =>
              keyBias(weights, head, rows.subarray(key * keyDim, (key + 1) * keyDim)),
            );
            expected = Math.max(expected, Math.max(...biases) - Math.min(...biases));
          }
          for (let i = 0; i < keys; i++) {
            for (let j = 0; j < keys; j++) {
              const difference = Array.from(
                { length: keyDim },
                (_, c) => (rows[i * keyDim + c] as number) - (rows[j * keyDim + c] as number),
              );
              largestDistance = Math.max(largestDistance, Math.hypot(...difference));
            }
          }
        }
        const measured = measureKeyBiasRange(weights, sequences);
        expect(Math.abs(measured - expected)).toBeLessThan(1e-11 * (1 + expected));
        expect(boundKeyBiasRange(weights, largestDistance)).toBeGreaterThanOrEqual(measured * (1 - 1e-12));
      }),
      { numRuns: 60, seed: 1 },
    );
  });

  it('has a limit for each number format', () => {
    expect(factorisedRangeLimit('float32', 100_000)).toBeGreaterThan(55);
    expect(factorisedRangeLimit('float32', 100_000)).toBeLessThan(60);
    expect(factorisedRangeLimit('float16', 512)).toBeLessThan(0);
    expect(factorisedRangeLimit('float64')).toBeGreaterThan(400);
    expect(() => checkFactorisedRange(50, 'float32')).not.toThrow();
    expect(() => checkFactorisedRange(70, 'float32')).toThrow(/^factorised: .*70\.0.*float32.*use the folded form$/);
    expect(() => checkFactorisedRange(1, 'float16')).toThrow(FormError);
    expect(() => checkFactorisedRange(Number.NaN, 'float64')).toThrow(FormError);
  });
});

function keyBias(
  { groups, headDim, scale, key, queryBias }: FoldedMheWeights,
  head: number,
  row: Float64Array,
): number {
  let sum = 0;
  for (let j = 0; j < headDim; j++) {
    const col = (groups.queryKey[head] as number) * headDim + j;
    let feature = key.bias?.[col] ?? 0;
    row.forEach((x, c) => {
      feature += x * (key.weight.data[c * key.weight.cols + col] as number);
    });
    sum += scale * feature * (queryBias?.data[head * headDim + j] ?? 0);
  }
  return sum;
}

/** The port with every number, sums and products inside matrix products too, rounded to float32 and flushed to zero. */
function float32Port(): TensorPort<Float64Tensor> {
  const round = ({ dims, data }: Float64Tensor) => ({
    dims,
    data: data.map((x) => (Math.abs(x) < 2 ** -126 ? 0 : Math.fround(x))),
  });
  const port = float64Port;
  const roundingMatMul = (a: Float64Tensor, b: Float64Tensor) => {
    const products = round(port.mul(port.unsqueeze(a, [-1]), port.unsqueeze(b, [-3])));
    const terms = port.split(products, new Array<number>(a.dims.at(-1) as number).fill(1), products.dims.length - 2);
    const sum = terms.reduce((total, term) => round(port.add(total, term)));
    return float64Tensor(sum.data, [...sum.dims.slice(0, -2), sum.dims.at(-1) as number]);
  };
  return {
    ...port,
    constant: (values, dims) => round(port.constant(values, dims)),
    add: (a, b) => round(port.add(a, b)),
    sub: (a, b) => round(port.sub(a, b)),
    mul: (a, b) => round(port.mul(a, b)),
    div: (a, b) => round(port.div(a, b)),
    exp: (a) => round(port.exp(a)),
    softmax: (a) => round(port.softmax(a)),
    matMul: roundingMatMul,
  };
}

describe('float32', () => {
  /** Two keys whose scores differ by `range` and whose biases differ by as much the other way: the hardest case. */
  function hardest(range: number) {
    const weights: FoldedMheWeights = {
      numHeads: 1,
      headDim: 1,
      valueHeadDim: 1,
      scale: 1,
      groups: { queryKey: [0], value: [0] },
      query: { weight: { rows: 1, cols: 1, data: Float64Array.of(1) }, bias: null },
      key: { weight: { rows: 1, cols: 1, data: Float64Array.of(1) }, bias: null },
      value: { weight: { rows: 1, cols: 1, data: Float64Array.of(1) }, bias: null },
      output: { weight: { rows: 1, cols: 1, data: Float64Array.of(1) }, bias: null },
      queryGain: null,
      queryBias: { rows: 1, cols: 1, data: Float64Array.of(-1) },
    };
    const stream = (...values: number[]) => float64Tensor(Float64Array.from(values), [1, values.length, 1]);
    const streams = { query: stream(1), key: stream(range / 2, -range / 2), value: stream(3, 5) };
    const port = float32Port();
    const expected = referenceContext(weights, streams, (product) => product);
    const error = relativeError(attendFactorisedMhe(port, weights, streams, scaleRule(port, 1)), expected);
    return { error, measured: measureKeyBiasRange(weights, [{ rows: 2, cols: 1, data: streams.key.data }]) };
  }

  it('is as good as ever at the limit', () => {
    const limit = factorisedRangeLimit('float32', 2);
    const { error, measured } = hardest(Math.floor(limit));
    expect(measured).toBeCloseTo(Math.floor(limit), 6);
    expect(error).toBeLessThan(1e-5);
  });

  it('breaks well beyond it', () => {
    expect(hardest(100).error).toBeGreaterThan(0.1);
  });
});
