import {
  type AttentionKindName,
  countKinds,
  countParameters,
  countWeights,
  exactNumber,
  parameterDifferences,
  usualKeyValueHeads,
} from '@mhe/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { layouts, randomFolded, randomMha, randomMhe } from './attention-cases.js';

const bert = { modelDim: 768, numHeads: 12, numLayers: 12, bias: false };
const totals = (options: Parameters<typeof countKinds>[0]) =>
  Object.fromEntries(countKinds(options).map(({ kind, parameters }) => [kind, parameters.total])) as Record<
    AttentionKindName,
    bigint
  >;

describe('parameters of 12 layers, width 768, 12 heads, no biases', () => {
  it('are the millions of the paper: 28.31, 8.85, 15.34, 8.88', () => {
    expect(totals(bert)).toEqual({
      mha: 28_311_552n,
      sha: 8_847_360n,
      mqa: 15_335_424n,
      gqa: 17_694_720n,
      'mhe-add': 8_875_008n,
      'mhe-mul': 8_875_008n,
    });
  });

  it('are the formulas of the paper without the output projection', () => {
    const [n, d, layers] = [12n, 64n, 12n];
    expect(totals({ ...bert, output: false })).toMatchObject({
      mha: layers * 3n * n * n * d * d,
      sha: layers * 3n * n * d * d,
      'mhe-add': layers * (3n * n * d * d + 3n * n * d),
      'mhe-mul': layers * (3n * n * d * d + 3n * n * d),
    });
  });
});

describe('differences', () => {
  it('are stated against their true reference, with and without output', () => {
    const [n, d] = [8n, 16n];
    for (const output of [true, false]) {
      const differences = parameterDifferences({ modelDim: 128, numHeads: 8, bias: false, output });
      const between = (kind: string, reference: string) =>
        differences.find((difference) => difference.kind === kind && difference.reference === reference)?.parameters;
      expect(between('mha', 'sha')?.total).toBe((3n * n * n - 3n * n) * d * d);
      expect(between('mha', 'mhe-mul')?.total).toBe((3n * n * n - 3n * n) * d * d - 3n * n * d);
      expect(between('mhe-add', 'sha')).toEqual({
        projections: 0n,
        biases: 0n,
        embeddings: 3n * n * d,
        output: 0n,
        total: 3n * n * d,
      });
    }
  });
});

describe('countParameters', () => {
  it('counts what weights of these sizes hold, part by part', () => {
    fc.assert(
      fc.property(layouts, fc.boolean(), (layout, bias) => {
        const uniform = { ...layout, biases: { query: bias, key: bias, value: bias, output: bias } };
        const weights = randomMhe(uniform, 'add');
        const sizes = {
          modelDim: 6,
          numHeads: layout.numHeads,
          headDim: layout.headDim,
          valueHeadDim: layout.valueHeadDim,
          keyDim: weights.key.weight.rows,
          valueDim: weights.value.weight.rows,
          outputDim: 9,
          bias,
        };
        const groups = { queryKey: new Set(layout.queryKey).size, value: new Set(layout.value).size };
        expect(countParameters({ ...sizes, kind: 'mhe-add', groups })).toEqual(countWeights(weights));
        expect(countParameters({ ...sizes, kind: 'mha' })).toEqual(countWeights(randomMha(uniform)));
      }),
      { numRuns: 100, seed: 1 },
    );
  });

  it('of MHE with a group for every head is MHA and its embeddings', () => {
    const sizes = { modelDim: 96, numHeads: 4 };
    const grouped = countParameters({ ...sizes, kind: 'mhe-mul', groups: 'heads' });
    const { embeddings, total } = grouped;
    expect(embeddings).toBe(3n * 96n);
    expect(total - embeddings).toBe(countParameters({ ...sizes, kind: 'mha' }).total);
  });

  it('stays exact beyond what numbers hold', () => {
    const { total } = countParameters({ modelDim: 2 ** 40, numHeads: 1, kind: 'mha', bias: false });
    expect(total).toBe(4n * 2n ** 80n);
    expect(() => exactNumber(total)).toThrow(/too large to be an exact number/);
    expect(exactNumber(28_311_552n)).toBe(28_311_552);
  });

  it.each([
    [{ modelDim: 10, numHeads: 4, kind: 'mha' }, /modelDim 10 is not a multiple of numHeads 4: give headDim/],
    [{ modelDim: 8, numHeads: 0, kind: 'mha' }, /numHeads must be a whole number of at least 1, got 0/],
    [{ modelDim: 8.5, numHeads: 1, kind: 'sha' }, /modelDim must be a whole number of at least 1, got 8.5/],
    [{ modelDim: 8, numHeads: 4, kind: 'gqa', numKeyValueHeads: 3 }, /numKeyValueHeads 3 does not divide numHeads 4/],
    [{ modelDim: 8, numHeads: 4, kind: 'mhe-mul', groups: 5 }, /groups.queryKey is 5, more than the 4 heads/],
    [
      { modelDim: 8, numHeads: 4, kind: 'mhe-mul', groups: { queryKey: 1, value: 0 } },
      /groups.value must be a whole number/,
    ],
  ] as const)('refuses %o', (options, message) => {
    expect(() => countParameters(options)).toThrow(message);
  });
});

describe('countWeights', () => {
  it('counts gains and biases of folded queries as embeddings', () => {
    const layout = {
      ...(fc.sample(layouts, { numRuns: 1, seed: 4 })[0] as Parameters<typeof randomMha>[0]),
      numHeads: 2,
      headDim: 4,
      queryKey: [0, 0],
      value: [0, 0],
    };
    expect(countWeights(randomFolded(layout, { gain: true, bias: true })).embeddings).toBe(16n);
    expect(countWeights(randomFolded(layout, { gain: true, bias: false })).embeddings).toBe(8n);
    expect(countWeights(randomMha(layout)).embeddings).toBe(0n);
  });
});

describe('usualKeyValueHeads', () => {
  it('divides the heads and is at most a quarter of them', () => {
    expect([1, 2, 8, 12, 14, 32, 25].map(usualKeyValueHeads)).toEqual([1, 1, 2, 3, 2, 8, 5]);
  });
});
