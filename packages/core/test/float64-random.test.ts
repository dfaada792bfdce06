import { seededRandom } from '@mhe/core';
import { describe, expect, it } from 'vitest';

const draws = 200_000;
const mean = (values: readonly number[]) => values.reduce((sum, x) => sum + x, 0) / values.length;

describe('seededRandom', () => {
  it('repeats itself for a seed and differs between neighbouring seeds', () => {
    const draw = (seed: number) => Array.from({ length: 8 }, seededRandom(seed).uniform);
    expect(draw(3)).toEqual(draw(3));
    const common = draw(3).filter((x) => draw(4).includes(x));
    expect(common).toEqual([]);
  });

  it('draws uniform numbers with the moments of their distribution', () => {
    const values = Array.from({ length: draws }, seededRandom(1).uniform);
    expect(values.every((x) => x >= 0 && x < 1)).toBe(true);
    expect(mean(values)).toBeCloseTo(1 / 2, 2);
    expect(mean(values.map((x) => x * x))).toBeCloseTo(1 / 3, 2);
    expect(mean(values.slice(1).map((x, i) => x * (values[i] as number)))).toBeCloseTo(1 / 4, 2);
  });

  it('draws normal numbers with the moments of their distribution', () => {
    const values = Array.from({ length: draws }, seededRandom(2).normal);
    expect(Math.abs(mean(values))).toBeLessThan(0.01);
    expect(Math.abs(mean(values.map((x) => x ** 2)) - 1)).toBeLessThan(0.02);
    expect(Math.abs(mean(values.map((x) => x ** 3)))).toBeLessThan(0.05);
    expect(Math.abs(mean(values.map((x) => x ** 4)) - 3)).toBeLessThan(0.1);
  });

  it('draws every whole number below the limit about equally often', () => {
    const random = seededRandom(3);
    const counts = new Array<number>(7).fill(0);
    for (let i = 0; i < draws; i++) {
      const drawn = random.integer(7);
      counts[drawn] = (counts[drawn] as number) + 1;
    }
    for (const count of counts) expect(Math.abs(count / draws - 1 / 7)).toBeLessThan(0.005);
  });
});
