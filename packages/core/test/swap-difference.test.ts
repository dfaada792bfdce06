import { describe, expect, it } from 'vitest';
import { Difference } from '../src/index.js';

function difference(actual: readonly number[], expected: readonly number[]): Difference {
  const result = new Difference();
  result.add({ dims: [actual.length], numbers: actual }, { dims: [expected.length], numbers: expected });
  return result;
}

describe('Difference', () => {
  it('is relative to the largest expected value', () => {
    expect(difference([1, 3, -8.5], [1, 3, -8]).relativeToLargest).toBe(0.5 / 8);
    expect(difference([2, 4], [2, 4]).relativeToLargest).toBe(0);
  });

  it('says that nothing was compared where only zeros, no numbers or nothing at all were expected', () => {
    expect(difference([0, 0], [0, 0]).relativeToLargest).toBeNaN();
    expect(difference([Number.NaN], [Number.NaN]).relativeToLargest).toBeNaN();
    expect(new Difference().relativeToLargest).toBeNaN();
  });

  it('is unbounded where something else than zeros, other sizes or no number came', () => {
    const boundless = Number.POSITIVE_INFINITY;
    expect(difference([0, 1e-9], [0, 0]).relativeToLargest).toBe(boundless);
    expect(difference([1, Number.NaN], [1, 1]).relativeToLargest).toBe(boundless);
    expect(difference([1], [1, 1]).relativeToLargest).toBe(boundless);
  });

  it('agrees where both are not a number, and compares the rest', () => {
    expect(difference([Number.NaN, 4], [Number.NaN, 5]).relativeToLargest).toBe(1 / 5);
  });
});
