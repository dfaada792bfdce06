import {
  type AttentionComputation,
  type AttentionInputs,
  attendFactorisedMhe,
  countBytes,
  countCacheBytesPerToken,
  countOperations,
  countScoreBytes,
  type Float64Tensor,
  factorisedMhe,
  float64Port,
  foldedMhe,
  mha,
  mhe,
  parameterElasticity,
  performanceRetention,
  type ScoreRules,
  scaleRule,
  type TensorPort,
} from '@mhe/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Layout, layouts, randomFolded, randomMha, randomMhe, randomStreams } from './attention-cases.js';

/** The float64 port with a tally of what it does: products and sums of numbers, exponentials. */
function tallyingPort() {
  const tally = { multiplyAdds: 0, exponentials: 0 };
  const size = ({ data }: Float64Tensor) => data.length;
  const port: TensorPort<Float64Tensor> = {
    ...float64Port,
    matMul(a, b) {
      const out = float64Port.matMul(a, b);
      tally.multiplyAdds += size(out) * (a.dims.at(-1) as number);
      return out;
    },
    mul(a, b) {
      const out = float64Port.mul(a, b);
      tally.multiplyAdds += size(out);
      return out;
    },
    add(a, b) {
      const out = float64Port.add(a, b);
      tally.multiplyAdds += size(out);
      return out;
    },
    softmax(a) {
      tally.exponentials += size(a);
      return float64Port.softmax(a);
    },
    exp(a) {
      tally.exponentials += size(a);
      return float64Port.exp(a);
    },
  };
  return { port, tally };
}

const noBiases = { query: false, key: false, value: false, output: false };
const rules: ScoreRules<Float64Tensor> = scaleRule(float64Port, 1);

type Run = (port: TensorPort<Float64Tensor>, layout: Layout, inputs: AttentionInputs<Float64Tensor>) => void;

function computations(layout: Layout): { computation: AttentionComputation; run: Run }[] {
  const groups = { queryKey: new Set(layout.queryKey).size, value: new Set(layout.value).size };
  return [
    { computation: { kind: 'mha' }, run: (port, drawn, inputs) => mha(port, randomMha(drawn), inputs, rules) },
    ...(['mhe-mul', 'mhe-add'] as const).map((kind) => ({
      computation: { kind, groups, form: 'direct' } as const,
      run: ((port, drawn, inputs) =>
        mhe(port, randomMhe(drawn, kind === 'mhe-mul' ? 'mul' : 'add'), inputs, rules)) satisfies Run,
    })),
    {
      computation: { kind: 'mhe-mul', groups, form: 'folded' },
      run: (port, drawn, inputs) => foldedMhe(port, randomFolded(drawn, { gain: true, bias: false }), inputs, rules),
    },
    {
      computation: { kind: 'mhe-add', groups, form: 'folded' },
      run: (port, drawn, inputs) => foldedMhe(port, randomFolded(drawn, { gain: false, bias: true }), inputs, rules),
    },
  ];
}

function sizesOf(layout: Layout) {
  const streams = randomStreams(layout);
  const { key, value } = randomMha(layout);
  return {
    modelDim: 6,
    numHeads: layout.numHeads,
    headDim: layout.headDim,
    valueHeadDim: layout.valueHeadDim,
    keyDim: key.weight.rows,
    valueDim: value.weight.rows,
    outputDim: 9,
    batch: layout.batch,
    queries: streams.query.dims[1] as number,
    keys: layout.keys,
  };
}

describe('countOperations', () => {
  it('counts what each form does when it runs', () => {
    fc.assert(
      fc.property(layouts, (drawn) => {
        const layout = { ...drawn, biases: noBiases };
        for (const { computation, run } of computations(layout)) {
          const { port, tally } = tallyingPort();
          run(port, layout, randomStreams(layout));
          const counted = countOperations({ ...sizesOf(layout), ...computation });
          expect(tally).toEqual({ multiplyAdds: Number(counted.total), exponentials: Number(counted.exponentials) });
        }
      }),
      { numRuns: 60, seed: 1 },
    );
  });

  it('counts the factorised form', () => {
    fc.assert(
      fc.property(layouts, (drawn) => {
        const layout = { ...drawn, biases: noBiases };
        const groups = { queryKey: new Set(layout.queryKey).size, value: new Set(layout.value).size };
        const { port, tally } = tallyingPort();
        factorisedMhe(port, randomFolded(layout, { gain: false, bias: true }), randomStreams(layout), rules);
        const counted = countOperations({ ...sizesOf(layout), kind: 'mhe-add', form: 'factorised', groups });
        expect(tally).toEqual({ multiplyAdds: Number(counted.total), exponentials: Number(counted.exponentials) });
      }),
      { numRuns: 60, seed: 1 },
    );
  });

  it('adds up its parts and multiplies by layers and sequences', () => {
    const one = countOperations({ modelDim: 768, numHeads: 12, kind: 'mha', queries: 512 });
    expect(one.scores).toBe(768n * 512n * 512n);
    expect(one.total).toBe(4n * 512n * 768n * 768n + 2n * 768n * 512n * 512n);
    const many = countOperations({ modelDim: 768, numHeads: 12, numLayers: 12, kind: 'mha', queries: 512, batch: 3 });
    expect(many.total).toBe(36n * one.total);
  });

  it('stays exact beyond what numbers hold', () => {
    const { scores } = countOperations({ modelDim: 2 ** 14, numHeads: 128, kind: 'mqa', queries: 2 ** 20 + 1 });
    expect(scores).toBe(2n ** 14n * (2n ** 20n + 1n) ** 2n);
  });

  it('names an impossible length', () => {
    expect(() => countOperations({ modelDim: 8, numHeads: 2, kind: 'mha', queries: 0 })).toThrow(
      /queries must be a whole number of at least 1/,
    );
  });
});

describe('countScoreBytes', () => {
  it('is the size of the largest scores that a form holds', () => {
    const layout: Layout = {
      ...(fc.sample(layouts, { numRuns: 1, seed: 4 })[0] as Layout),
      numHeads: 4,
      queryKey: [0, 1, 0, 1],
      value: [0, 0, 0, 0],
    };
    let largest = 0;
    const watching = {
      ...rules,
      beforeSoftmax: (scores: Float64Tensor) => {
        largest = scores.data.byteLength;
        return scores;
      },
    };
    const sizes = { ...sizesOf(layout), groups: { queryKey: 2, value: 1 }, type: 'float64' } as const;
    const weights = randomFolded(layout, { gain: false, bias: true });
    attendFactorisedMhe(float64Port, weights, randomStreams(layout), watching);
    expect(countScoreBytes({ ...sizes, kind: 'mhe-add', form: 'factorised' })).toBe(BigInt(largest));
    foldedMhe(float64Port, weights, randomStreams(layout), watching);
    expect(countScoreBytes({ ...sizes, kind: 'mhe-add', form: 'folded' })).toBe(BigInt(largest));
    expect(countScoreBytes({ ...sizes, kind: 'sha' })).toBe(BigInt(largest / 4));
  });
});

describe('bytes', () => {
  it('round up to whole bytes', () => {
    expect(countBytes(3n, 'float32')).toBe(12n);
    expect(countBytes(3n, 'float16')).toBe(6n);
    expect(countBytes(3n, 'int8')).toBe(3n);
    expect(countBytes(3n, 'int4')).toBe(2n);
  });

  it('of the cache follow what is shared', () => {
    const sizes = { modelDim: 768, numHeads: 12, numLayers: 12, type: 'float16' } as const;
    const mhaBytes = countCacheBytesPerToken({ ...sizes, kind: 'mha' });
    expect(mhaBytes).toBe(2n * 2n * 12n * 768n);
    expect(countCacheBytesPerToken({ ...sizes, kind: 'mqa' }) * 12n).toBe(mhaBytes);
    expect(countCacheBytesPerToken({ ...sizes, kind: 'gqa', numKeyValueHeads: 3 }) * 4n).toBe(mhaBytes);
    expect(countCacheBytesPerToken({ ...sizes, kind: 'mhe-mul' }) * 12n).toBe(mhaBytes);
    const grouped = countCacheBytesPerToken({ ...sizes, kind: 'mhe-add', groups: { queryKey: 1, value: 'heads' } });
    expect(grouped).toBe(2n * 12n * 13n * 64n);
  });
});

describe('measures of the paper', () => {
  it('performance retention, in both directions', () => {
    expect(performanceRetention(0.81, 0.9)).toBeCloseTo(0.9, 15);
    expect(performanceRetention(22, 20, 'lower is better')).toBeCloseTo(0.9, 15);
    expect(performanceRetention(20, 20, 'lower is better')).toBe(1);
    expect(() => performanceRetention(1, 0)).toThrow(RangeError);
  });

  it('elasticity of parameters', () => {
    expect(parameterElasticity({ score: 84, parameters: 110 }, { score: 80, parameters: 100 })).toBeCloseTo(0.5, 12);
    // 8.88 M for MHE and 8.85 M for SHA: a small gain counts for much.
    const elasticity = parameterElasticity(
      { score: 80.8, parameters: 8_875_008n },
      { score: 80, parameters: 8_847_360n },
    );
    expect(elasticity).toBeCloseTo(0.01 / (27_648 / 8_847_360), 6);
    expect(() => parameterElasticity({ score: 1, parameters: 5 }, { score: 1, parameters: 5n })).toThrow(
      /two different numbers/,
    );
    expect(() => parameterElasticity({ score: 1, parameters: 5 }, { score: 1, parameters: 0 })).toThrow(
      /two different numbers/,
    );
    expect(() => parameterElasticity({ score: 1, parameters: 5 }, { score: 0, parameters: 4 })).toThrow(
      /score of SHA is 0/,
    );
  });
});
