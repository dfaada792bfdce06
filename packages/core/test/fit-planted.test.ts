import {
  type AttentionWeights,
  fitMhe,
  float64Port,
  float64Tensor,
  foldedMhe,
  mha,
  scaleRule,
  seededRandom,
} from '@mhe/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { alternate } from '../src/fit/alternate.js';
import { compressForms } from '../src/fit/compress.js';
import { pencilStart } from '../src/fit/pencil-start.js';
import { scoreProblem } from '../src/fit/score-problem.js';
import { evenMoments, type FitCase, fitCases, matrix, momentsOf, plantedHeads } from './fit-cases.js';
import { leftOut } from './fit-reference.js';

/** Largest difference between the block's outputs on random inputs, relative to the largest output. */
function outputDifference(original: AttentionWeights, fitted: Parameters<typeof foldedMhe>[1], seed: number): number {
  const random = seededRandom(seed + 2);
  const stream = (length: number, dim: number) => float64Tensor(matrix(length, dim, random).data, [1, length, dim]);
  const [query, key, value] = [original.query, original.key, original.value].map(({ weight }) => weight.rows) as [
    number,
    number,
    number,
  ];
  const inputs = { query: stream(3, query), key: stream(5, key), value: stream(5, value) };
  // Scores of a random layer are huge; softened, softmax does not hide what is wrong.
  const rules = scaleRule(float64Port, 0.01);
  const expected = mha(float64Port, original, inputs, rules).data;
  const got = foldedMhe(float64Port, fitted, inputs, rules).data;
  const largest = expected.reduce((max, x) => Math.max(max, Math.abs(x)), 0);
  return expected.reduce((max, x, i) => Math.max(max, Math.abs(x - (got[i] as number))), 0) / largest;
}

const wide: FitCase[] = [
  { seed: 1, numHeads: 12, headDim: 32, valueHeadDim: 32, margin: 100, biases: true, moments: true, spread: 2 },
  { seed: 2, numHeads: 4, headDim: 64, valueHeadDim: 64, margin: 64, biases: false, moments: false, spread: 0 },
  { seed: 3, numHeads: 2, headDim: 64, valueHeadDim: 48, margin: 10, biases: true, moments: true, spread: 0 },
];

describe.each(['mul', 'add'] as const)('heads that share projections (%s)', (embedding) => {
  async function check(layout: FitCase) {
    const original = plantedHeads(layout, embedding);
    const moments = momentsOf(layout, original);
    const fit = await fitMhe(original, { embedding, moments });
    const lost = leftOut(original, fit.weights, { ...evenMoments(original), ...moments });
    expect(Math.sqrt(lost.queryKey)).toBeLessThan(1e-9);
    expect(Math.sqrt(lost.value)).toBeLessThan(1e-9);
    expect(fit.queryKeyError.overall).toBeLessThan(1e-12);
    expect(fit.valueError.overall).toBeLessThan(1e-12);
    expect(outputDifference(original, fit.weights, layout.seed)).toBeLessThan(1e-7);
  }

  it('are found again, whatever their bases, biases, sizes and moments', async () => {
    await fc.assert(fc.asyncProperty(fitCases, check), { numRuns: 30, seed: 1 });
  });

  it.each(wide)('are found again at $numHeads heads of $headDim', check);
});

describe('the start from the matrix pencil', () => {
  it('is exact before the first sweep', async () => {
    await fc.assert(
      fc.asyncProperty(fitCases, async (layout) => {
        const original = plantedHeads({ ...layout, spread: 0 }, 'mul');
        const { forms } = scoreProblem(original, 'mul', momentsOf(layout, original));
        const core = compressForms(forms, 0);
        const start = pencilStart(core.forms, 0);
        expect(start).not.toBeNull();
        if (!start) return;
        const shared = core.expand(start);
        const { query, key } = forms;
        let lost = 0;
        let energy = 0;
        const { numHeads, headDim } = layout;
        for (let head = 0; head < numHeads; head++) {
          for (let r = 0; r < query.rows; r++) {
            for (let c = 0; c < key.rows; c++) {
              let wanted = 0;
              let got = 0;
              for (let f = 0; f < headDim; f++) {
                const at = head * headDim + f;
                wanted += (query.data[r * query.cols + at] as number) * (key.data[c * key.cols + at] as number);
                got +=
                  (shared.query.data[r * headDim + f] as number) *
                  (shared.gain.data[at] as number) *
                  (shared.key.data[c * headDim + f] as number);
              }
              lost += (wanted - got) ** 2;
              energy += wanted ** 2;
            }
          }
        }
        expect(Math.sqrt(lost / energy)).toBeLessThan(1e-8);
        const { error } = await alternate(forms, shared, { maxSweeps: 1, tolerance: 0, pace: async () => {} });
        expect(error).toBeLessThan(1e-14);
      }),
      { numRuns: 25, seed: 2 },
    );
  });
});
