import { disguiseHeads, type FoldedMheWeights, fitMhe } from '@mhe/core';
import fc from 'fast-check';
import { Matrix as Dense, EigenvalueDecomposition, SingularValueDecomposition } from 'ml-matrix';
import { describe, expect, it } from 'vitest';
import { alignedStart } from '../src/fit/aligned-start.js';
import { alternate } from '../src/fit/alternate.js';
import { compressForms } from '../src/fit/compress.js';
import { pencilStart } from '../src/fit/pencil-start.js';
import { scoreProblem } from '../src/fit/score-problem.js';
import { evenMoments, fitCases, momentsOf, randomMoments, toDense, unrelatedHeads } from './fit-cases.js';
import { centred, leftOut, scoreForm } from './fit-reference.js';

const pace = async () => {};
const values = 'heads';

describe('queries and keys of heads that do not share (MHE-MUL)', () => {
  it('are fitted with the error that is reported, over all heads and for each group', async () => {
    await fc.assert(
      fc.asyncProperty(fitCases, async (layout) => {
        const original = unrelatedHeads(layout);
        const moments = momentsOf(layout, original);
        const fit = await fitMhe(original, { groups: { queryKey: 1, value: values }, moments });
        const lost = leftOut(original, fit.weights, { ...evenMoments(original), ...moments });
        // The weighting's floor is 1e-8 of the mean variance.
        expect(fit.queryKeyError.overall / lost.queryKey).toBeCloseTo(1, layout.moments ? 4 : 8);
        expect(fit.queryKeyError.perGroup).toHaveLength(1);
        expect(fit.valueError.overall).toBe(0);
      }),
      { numRuns: 25, seed: 1 },
    );
  });

  it('never fit worse from one sweep to the next, from either start', async () => {
    await fc.assert(
      fc.asyncProperty(fitCases, async (layout) => {
        const original = unrelatedHeads(layout);
        const { forms } = scoreProblem(original, 'mul', momentsOf(layout, original));
        const core = compressForms(forms, 0);
        for (const start of [pencilStart(core.forms, 0), alignedStart(core.forms)]) {
          if (!start) throw new Error('no start');
          const errors: number[] = [];
          const onSweep = (_: number, error: number) => errors.push(error);
          const { error } = await alternate(forms, core.expand(start), { maxSweeps: 30, tolerance: 0, pace, onSweep });
          expect(errors.length).toBeGreaterThan(5);
          expect(errors).toEqual([...errors].sort((a, b) => b - a));
          expect(error).toBe(errors.at(-1));
        }
      }),
      { numRuns: 10, seed: 2 },
    );
  });

  it('fit far better than the mean of the heads', async () => {
    await fc.assert(
      fc.asyncProperty(fitCases, async (layout) => {
        const original = unrelatedHeads(layout);
        const moments = { ...evenMoments(original), ...momentsOf(layout, original) };
        const { weights } = await fitMhe(original, { groups: { queryKey: 1, value: values }, moments });
        const { numHeads, headDim } = original;
        const mean = (projection: typeof original.query) => ({
          weight: meanColumns(toDense(projection.weight), numHeads, headDim),
          bias: null,
        });
        const plain: FoldedMheWeights = {
          ...weights,
          query: mean(original.query),
          key: mean(original.key),
          queryGain: null,
        };
        const fitted = leftOut(original, weights, moments).queryKey;
        expect(fitted).toBeLessThan(0.97 * leftOut(original, plain, moments).queryKey);
      }),
      { numRuns: 10, seed: 3 },
    );
  });

  it('do not depend on the bases of the heads', async () => {
    const original = unrelatedHeads({
      seed: 5,
      numHeads: 4,
      headDim: 6,
      valueHeadDim: 4,
      margin: 5,
      biases: true,
      moments: true,
      spread: 0,
    });
    const moments = randomMoments(original, 5);
    const groups = { queryKey: 1, value: values } as const;
    const one = await fitMhe(original, { groups, moments });
    const other = await fitMhe(disguiseHeads(original, 1), { groups, moments });
    expect(other.queryKeyError.overall / one.queryKeyError.overall).toBeCloseTo(1, 6);
  });

  it('have balanced columns and gains around one', async () => {
    const original = unrelatedHeads({
      seed: 6,
      numHeads: 5,
      headDim: 6,
      valueHeadDim: 4,
      margin: 5,
      biases: false,
      moments: false,
      spread: 0,
    });
    const { weights } = await fitMhe(original, { groups: { queryKey: 1, value: values } });
    const lengths = (matrix: Dense) =>
      matrix
        .transpose()
        .to2DArray()
        .map((column) => Math.hypot(...column));
    const query = lengths(toDense(weights.query.weight));
    lengths(toDense(weights.key.weight)).forEach((x, f) => {
      expect(x / (query[f] as number)).toBeCloseTo(1, 8);
    });
    if (!weights.queryGain) throw new Error('no gains');
    for (const gains of toDense(weights.queryGain).transpose().to2DArray()) {
      expect(Math.hypot(...gains) / Math.sqrt(5)).toBeCloseTo(1, 8);
      expect(gains.reduce((sum, x) => sum + x, 0)).toBeGreaterThanOrEqual(0);
    }
  });
});

describe('queries and keys of heads that do not share (MHE-ADD)', () => {
  it('are the best there are: the truncated singular values of the mean form over the constants', async () => {
    await fc.assert(
      fc.asyncProperty(fitCases, async (layout) => {
        const original = unrelatedHeads(layout);
        const moments = { ...evenMoments(original), ...momentsOf(layout, original) };
        const fit = await fitMhe(original, { groups: { queryKey: 1, value: values }, embedding: 'add', moments });
        const lost = leftOut(original, fit.weights, moments).queryKey;
        expect(fit.queryKeyError.overall / lost).toBeCloseTo(1, 4);
        const best = bestAddError(original, moments);
        expect(lost).toBeGreaterThan(best - 1e-6);
        expect(lost).toBeLessThan(best + 2e-3);
      }),
      { numRuns: 25, seed: 4 },
    );
  });

  it('puts the mean of the heads’ biases into the shared bias', async () => {
    const original = unrelatedHeads({
      seed: 7,
      numHeads: 4,
      headDim: 5,
      valueHeadDim: 4,
      margin: 5,
      biases: true,
      moments: true,
      spread: 0,
    });
    const { weights } = await fitMhe(original, { groups: { queryKey: 2, value: values }, embedding: 'add' });
    if (!weights.queryBias) throw new Error('no biases');
    const rows = toDense(weights.queryBias).to2DArray();
    for (const group of [0, 1]) {
      const heads = rows.filter((_, head) => weights.groups.queryKey[head] === group);
      const sums = heads.reduce((sum, row) => sum.map((x, f) => x + (row[f] as number)));
      for (const sum of sums) expect(sum).toBeCloseTo(0, 10);
    }
    expect(weights.queryGain).toBeNull();
  });
});

function meanColumns(weight: Dense, numHeads: number, size: number) {
  const sum = Dense.zeros(weight.rows, size);
  for (let head = 0; head < numHeads; head++) {
    sum.add(weight.subMatrix(0, weight.rows - 1, head * size, (head + 1) * size - 1));
  }
  return { rows: sum.rows, cols: size, data: Float64Array.from(sum.div(numHeads).to1DArray()) };
}

function squareRoot(moment: Dense): Dense {
  const { realEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(moment, { assumeSymmetric: true });
  return eigenvectorMatrix.mulRowVector(realEigenvalues.map((x) => Math.sqrt(Math.max(0, x))));
}

/** The least that a rank-`headDim` key space must leave out, from singular values of forms written out. */
function bestAddError(original: ReturnType<typeof unrelatedHeads>, moments: ReturnType<typeof randomMoments>): number {
  const { numHeads, headDim } = original;
  const second = toDense(moments.query);
  const dim = second.rows - 1;
  const mean = second.getRow(dim).map((x) => x / second.get(dim, dim));
  const left = squareRoot(centred(second)).transpose();
  const right = squareRoot(toDense(moments.key));
  const forms = Array.from({ length: numHeads }, (_, head) => scoreForm(original, head).mmul(right));
  const varying = forms.map((form) => left.mmul(form.subMatrix(0, dim - 1, 0, form.columns - 1)));
  const constants = forms.map((form) => Dense.rowVector(mean).mmul(form));
  const energy = [...varying, ...constants].reduce((sum, form) => sum + form.norm('frobenius') ** 2, 0);
  const average = varying.reduce((sum, form) => sum.add(form), Dense.zeros(dim, right.columns)).div(numHeads);
  const spread = varying.reduce((sum, form) => sum + Dense.sub(form, average).norm('frobenius') ** 2, 0);
  const stack = new Dense([...average.mul(Math.sqrt(numHeads)).to2DArray(), ...constants.map((row) => row.getRow(0))]);
  const { diagonal } = new SingularValueDecomposition(stack, { autoTranspose: true });
  const cut = diagonal.slice(headDim).reduce((sum, x) => sum + x * x, 0);
  return (spread + cut) / energy;
}
