import { fitMhe, type Matrix, neighbourGroups, seededRandom } from '@mhe/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { groupHeads } from '../src/fit/group-heads.js';
import { evenMoments, type FitCase, fitCases, momentsOf, plantedHeads, unrelatedHeads } from './fit-cases.js';
import { leftOut } from './fit-reference.js';

/** Group numbers in the order of their first heads, no group empty. */
function drawGroups(numHeads: number, count: number, seed: number): number[] {
  const random = seededRandom(seed);
  const drawn = Array.from({ length: numHeads }, (_, head) => (head < count ? head : random.integer(count)));
  for (let head = numHeads - 1; head > 0; head--) {
    const other = random.integer(head + 1);
    [drawn[head], drawn[other]] = [drawn[other] as number, drawn[head] as number];
  }
  const order = [...new Set(drawn)];
  return drawn.map((group) => order.indexOf(group));
}

const layout: FitCase = {
  seed: 3,
  numHeads: 6,
  headDim: 5,
  valueHeadDim: 4,
  margin: 20,
  biases: true,
  moments: true,
  spread: 0,
};

describe('which heads share', () => {
  it.each(['mul', 'add'] as const)('is found where it was planted, for either dial (%s)', async (embedding) => {
    await fc.assert(
      fc.asyncProperty(fitCases, fc.integer({ min: 2, max: 4 }), async (drawn, count) => {
        const one = { ...drawn, numHeads: Math.max(drawn.numHeads, count + 1), margin: 20 };
        const queryKey = drawGroups(one.numHeads, count, one.seed);
        const value = drawGroups(one.numHeads, count, one.seed + 1);
        const original = plantedHeads(one, embedding, { queryKey, value });
        const moments = momentsOf(one, original);
        const fit = await fitMhe(original, { groups: count, embedding, moments });
        expect(fit.weights.groups).toEqual({ queryKey, value });
        const lost = leftOut(original, fit.weights, { ...evenMoments(original), ...moments });
        expect(Math.sqrt(lost.queryKey)).toBeLessThan(1e-9);
        expect(Math.sqrt(lost.value)).toBeLessThan(1e-9);
        expect(fit.queryKeyError.perGroup).toHaveLength(count);
      }),
      { numRuns: 15, seed: 1 },
    );
  });

  it('cannot be bettered by moving one head or exchanging two', () => {
    fc.assert(
      fc.property(
        fc.nat(),
        fc.integer({ min: 3, max: 8 }),
        fc.integer({ min: 1, max: 4 }),
        (seed, numHeads, wanted) => {
          const count = Math.min(wanted, numHeads);
          const losses = randomLosses(numHeads, seed);
          const groups = groupHeads(losses, count);
          expect(new Set(groups).size).toBe(count);
          const found = within(losses, groups);
          expect(found).toBeLessThanOrEqual(within(losses, neighbourGroups(numHeads, count)) + 1e-12 * count);
          for (let head = 0; head < numHeads; head++) {
            for (let other = 0; other < numHeads; other++) {
              const exchanged = groups.with(head, groups[other] as number).with(other, groups[head] as number);
              expect(within(losses, exchanged)).toBeGreaterThanOrEqual(found - 1e-9);
              const moved = groups.with(head, groups[other] as number);
              if (new Set(moved).size === count) expect(within(losses, moved)).toBeGreaterThanOrEqual(found - 1e-9);
            }
          }
        },
      ),
      { numRuns: 40, seed: 2 },
    );
  });

  it('may be given, group by group', async () => {
    const original = unrelatedHeads(layout);
    const queryKey = [1, 0, 1, 2, 2, 1];
    const value = [0, 1, 0, 1, 0, 1];
    const { weights } = await fitMhe(original, { groups: { queryKey, value } });
    expect(weights.groups).toEqual({ queryKey, value });
    expect(weights.query.weight.cols).toBe(3 * layout.headDim);
    expect(weights.value.weight.cols).toBe(2 * layout.valueHeadDim);
  });

  it.each([
    [0, /queryKey must be 'heads' or a whole number from 1 to 6; got 0/],
    [7, /got 7/],
    [1.5, /got 1.5/],
    [{ queryKey: [0, 0, 1], value: 1 }, /queryKey must give each of 6 heads a group/],
    [{ queryKey: 1, value: [0, 0, 0, 2, 2, 2] }, /value must give each of 6 heads a group/],
  ])('is refused where it makes no sense: %j', async (groups, message) => {
    await expect(fitMhe(unrelatedHeads(layout), { groups })).rejects.toThrow(message);
  });
});

describe('groups of one head', () => {
  it.each(['mul', 'add'] as const)('give the original weights back to the bit (%s)', async (embedding) => {
    await fc.assert(
      fc.asyncProperty(fitCases, async (drawn) => {
        const original = unrelatedHeads(drawn);
        const fit = await fitMhe(original, { groups: 'heads', embedding, moments: momentsOf(drawn, original) });
        const { query, key, value, output } = fit.weights;
        expect({ query, key, value, output }).toEqual({
          query: original.query,
          key: original.key,
          value: original.value,
          output: original.output,
        });
        expect([fit.weights.queryGain, fit.weights.queryBias]).toEqual([null, null]);
        expect([fit.queryKeyError.overall, fit.valueError.overall, fit.sweeps]).toEqual([0, 0, 0]);
        expect(fit.withoutMoments).toEqual([]);
      }),
      { numRuns: 10, seed: 3 },
    );
  });

  it('keep their head to the bit beside groups that share', async () => {
    const original = unrelatedHeads(layout);
    const groups = [0, 0, 1, 0, 0, 0];
    const { weights } = await fitMhe(original, { groups: { queryKey: groups, value: groups } });
    const { headDim, valueHeadDim } = layout;
    const columns = ({ rows, cols, data }: Matrix, block: number, size: number) =>
      Array.from({ length: rows }, (_, r) => [
        ...data.subarray(r * cols + block * size, r * cols + (block + 1) * size),
      ]);
    expect(columns(weights.query.weight, 1, headDim)).toEqual(columns(original.query.weight, 2, headDim));
    expect(columns(weights.key.weight, 1, headDim)).toEqual(columns(original.key.weight, 2, headDim));
    expect(columns(weights.value.weight, 1, valueHeadDim)).toEqual(columns(original.value.weight, 2, valueHeadDim));
    expect(weights.value.bias?.subarray(valueHeadDim)).toEqual(
      original.value.bias?.subarray(2 * valueHeadDim, 3 * valueHeadDim),
    );
    expect(weights.key.bias?.subarray(headDim)).toEqual(original.key.bias?.subarray(2 * headDim, 3 * headDim));
    expect(weights.queryGain?.data.subarray(2 * headDim, 3 * headDim)).toEqual(new Float64Array(headDim).fill(1));
    const rows = ({ cols, data }: Matrix) => data.subarray(2 * valueHeadDim * cols, 3 * valueHeadDim * cols);
    expect(rows(weights.output.weight)).toEqual(rows(original.output.weight));
  });
});

function randomLosses(numHeads: number, seed: number): Matrix {
  const random = seededRandom(seed);
  const data = new Float64Array(numHeads * numHeads);
  for (let a = 0; a < numHeads; a++) {
    for (let b = 0; b < a; b++) {
      data[a * numHeads + b] = random.uniform();
      data[b * numHeads + a] = data[a * numHeads + b] as number;
    }
  }
  return { rows: numHeads, cols: numHeads, data };
}

function within({ cols, data }: Matrix, groups: readonly number[]): number {
  return data.reduce((sum, x, at) => (groups[Math.floor(at / cols)] === groups[at % cols] ? sum + x / 2 : sum), 0);
}
