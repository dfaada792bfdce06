import { type AttentionWeights, fitMhe, float64Port, float64Tensor, foldedMhe, mha, scaleRule } from '@mhe/core';
import fc from 'fast-check';
import { Matrix as Dense, EigenvalueDecomposition } from 'ml-matrix';
import { describe, expect, it } from 'vitest';
import {
  evenMoments,
  fitCases,
  momentsOf,
  plantedHeads,
  type randomMoments,
  toDense,
  unrelatedHeads,
} from './fit-cases.js';
import { centred, leftOut, valueForm } from './fit-reference.js';

const groups = { queryKey: 'heads', value: 1 } as const;

describe('values of heads that do not share', () => {
  it('lose as little as singular values allow, and what is reported', async () => {
    await fc.assert(
      fc.asyncProperty(fitCases, async (layout) => {
        const original = unrelatedHeads(layout);
        const moments = { ...evenMoments(original), ...momentsOf(layout, original) };
        const fit = await fitMhe(original, { groups, moments });
        const lost = leftOut(original, fit.weights, moments).value;
        expect(fit.valueError.overall).toBeCloseTo(lost, 6);
        const best = leastValueError(original, moments);
        expect(lost).toBeGreaterThan(best - 1e-6);
        expect(lost).toBeLessThan(best + 2e-3);
        expect(fit.queryKeyError.overall).toBe(0);
      }),
      { numRuns: 25, seed: 1 },
    );
  });

  it('change nothing at the mean input: means and value biases go into the output’s bias', async () => {
    await fc.assert(
      fc.asyncProperty(fitCases, async (layout) => {
        const original = unrelatedHeads(layout);
        const moments = momentsOf(layout, original);
        const { weights } = await fitMhe(original, { groups, moments });
        // One key: whatever the scores, every head attends to it alone.
        const { query, key } = original;
        const one = (row: Float64Array) => float64Tensor(row, [1, 1, row.length]);
        const inputs = {
          query: one(new Float64Array(query.weight.rows)),
          key: one(new Float64Array(key.weight.rows)),
          value: one(meanInput(moments.attended ?? evenMoments(original).attended)),
        };
        const rules = scaleRule(float64Port, 1);
        const expected = mha(float64Port, original, inputs, rules).data;
        const got = foldedMhe(float64Port, weights, inputs, rules).data;
        const largest = expected.reduce((max, x) => Math.max(max, Math.abs(x)), 1);
        got.forEach((x, i) => {
          expect(Math.abs(x - (expected[i] as number)) / largest).toBeLessThan(1e-9);
        });
        expect(weights.value.bias).toBeNull();
      }),
      { numRuns: 15, seed: 2 },
    );
  });

  it('leave the output without a bias where nothing calls for one', async () => {
    const original = unrelatedHeads({
      seed: 1,
      numHeads: 3,
      headDim: 4,
      valueHeadDim: 4,
      margin: 5,
      biases: false,
      moments: false,
      spread: 0,
    });
    const { weights } = await fitMhe(original);
    expect([weights.query.bias, weights.key.bias, weights.value.bias, weights.output.bias]).toEqual([
      null,
      null,
      null,
      null,
    ]);
  });
});

describe('values where rows may attend to nothing', () => {
  it('leave the output’s bias alone, and still find what heads share', async () => {
    await fc.assert(
      fc.asyncProperty(fitCases, async (layout) => {
        const original = plantedHeads(layout, 'mul');
        const moments = momentsOf(layout, original);
        const { weights, valueError } = await fitMhe(original, { groups, moments, emptyRows: true });
        expect(weights.output.bias).toEqual(original.output.bias);
        expect(valueError.overall).toBeLessThan(1e-12);
        const lost = leftOut(original, weights, { ...evenMoments(original), ...moments });
        expect(Math.sqrt(lost.value)).toBeLessThan(1e-9);
      }),
      { numRuns: 15, seed: 3 },
    );
  });
});

/** The least that a space of `valueHeadDim` directions must leave out: the small eigenvalues of the written-out sum. */
function leastValueError(original: AttentionWeights, moments: ReturnType<typeof randomMoments>): number {
  const covariance = centred(toDense(moments.attended));
  const { realEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(covariance, { assumeSymmetric: true });
  const root = eigenvectorMatrix.mulRowVector(realEigenvalues.map((x) => Math.sqrt(Math.max(0, x)))).transpose();
  const sum = Dense.zeros(covariance.rows, covariance.rows);
  for (let head = 0; head < original.numHeads; head++) {
    const form = root.mmul(valueForm(original, head));
    sum.add(form.mmul(form.transpose()));
  }
  const energies = new EigenvalueDecomposition(sum, { assumeSymmetric: true }).realEigenvalues;
  const cut = energies.slice(0, -original.valueHeadDim).reduce((total, x) => total + x, 0);
  return cut / sum.trace();
}

function meanInput({ rows, data }: { readonly rows: number; readonly data: Float64Array }): Float64Array {
  const count = data[rows * rows - 1] as number;
  return data.slice((rows - 1) * rows, rows * rows - 1).map((x) => x / count);
}
