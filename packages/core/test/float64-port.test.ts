import { type Float64Tensor, float64Tensor, float64Port as port, seededRandom } from '@mhe/core';
import { describe, expect, it } from 'vitest';

const tensor = (dims: number[], ...values: number[]) => float64Tensor(Float64Array.from(values), dims);
const counted = (...dims: number[]) => {
  const size = dims.reduce((a, b) => a * b, 1);
  return tensor(dims, ...Array.from({ length: size }, (_, i) => i));
};
const numbers = ({ data }: Float64Tensor) => Array.from(data);

describe('elementwise operations', () => {
  it('broadcast as NumPy does', () => {
    const sum = port.add(counted(2, 1, 3), tensor([2, 1], 10, 20));
    expect(sum.dims).toEqual([2, 2, 3]);
    expect(numbers(sum)).toEqual([10, 11, 12, 20, 21, 22, 13, 14, 15, 23, 24, 25]);
    expect(numbers(port.sub(tensor([], 1), counted(2)))).toEqual([1, 0]);
    expect(numbers(port.mul(counted(3), counted(3)))).toEqual([0, 1, 4]);
    expect(numbers(port.div(tensor([2], 1, 3), tensor([1], 2)))).toEqual([0.5, 1.5]);
    expect(numbers(port.exp(tensor([1], 1)))).toEqual([Math.E]);
  });

  it('name dimensions that do not broadcast', () => {
    expect(() => port.add(counted(2), counted(3))).toThrow('cannot broadcast [2] and [3]');
  });

  it('choose by truth and find not-a-number', () => {
    const values = tensor([3], 1, Number.NaN, 3);
    expect(numbers(port.where(port.isNaN(values), tensor([], 0), values))).toEqual([1, 0, 3]);
  });
});

describe('matMul', () => {
  it('broadcasts leading axes and multiplies the last two', () => {
    const random = seededRandom(1);
    const draw = (...dims: number[]) =>
      tensor(dims, ...Array.from({ length: dims.reduce((a, b) => a * b, 1) }, random.normal));
    const a = draw(3, 1, 5, 7);
    const b = draw(2, 7, 6);
    const c = port.matMul(a, b);
    expect(c.dims).toEqual([3, 2, 5, 6]);
    for (let i = 0; i < c.data.length; i++) {
      const [x, y, row, col] = [Math.floor(i / 60), Math.floor(i / 30) % 2, Math.floor(i / 6) % 5, i % 6] as const;
      let sum = 0;
      for (let k = 0; k < 7; k++)
        sum += (a.data[(x * 5 + row) * 7 + k] as number) * (b.data[(y * 7 + k) * 6 + col] as number);
      expect(c.data[i]).toBeCloseTo(sum, 12);
    }
  });

  it('names operands that do not fit', () => {
    expect(() => port.matMul(counted(2, 3), counted(2, 3))).toThrow('cannot multiply [2, 3] by [2, 3]');
  });
});

describe('softmax and max', () => {
  it('softmax stays finite for large scores and is not-a-number over none', () => {
    const [low, high] = numbers(port.softmax(tensor([1, 2], 1000, 1001))) as [number, number];
    expect(low + high).toBeCloseTo(1, 15);
    expect(high / low).toBeCloseTo(Math.E, 10);
    const hidden = Number.NEGATIVE_INFINITY;
    expect(numbers(port.softmax(tensor([2, 2], hidden, 0, hidden, hidden)))).toEqual([0, 1, Number.NaN, Number.NaN]);
  });

  it('max keeps the axes it reduces', () => {
    const a = tensor([2, 2, 2], 5, 1, 2, 8, 0, 3, 7, 4);
    expect(port.max(a, [-1])).toEqual(tensor([2, 2, 1], 5, 8, 3, 7));
    expect(port.max(a, [1])).toEqual(tensor([2, 1, 2], 5, 8, 7, 4));
    expect(port.max(a, [0, 2])).toEqual(tensor([1, 2, 1], 5, 8));
  });
});

describe('layout operations', () => {
  it('reshape copies with 0, infers with -1 and refuses what does not fit', () => {
    expect(port.reshape(counted(2, 3, 4), [0, -1]).dims).toEqual([2, 12]);
    expect(port.reshape(counted(2, 3, 4), [0, -1, 2, 2]).dims).toEqual([2, 3, 2, 2]);
    expect(() => port.reshape(counted(2, 3), [4, 2])).toThrow('[4, 2] hold 8 numbers, got 6');
  });

  it('unsqueeze counts places in the result', () => {
    expect(port.unsqueeze(counted(2, 3), [1]).dims).toEqual([2, 1, 3]);
    expect(port.unsqueeze(counted(2, 3), [0, -1]).dims).toEqual([1, 2, 3, 1]);
  });

  it('transpose permutes axes', () => {
    const moved = port.transpose(counted(2, 3, 4), [2, 0, 1]);
    expect(moved.dims).toEqual([4, 2, 3]);
    expect(numbers(moved).slice(0, 7)).toEqual([0, 4, 8, 12, 16, 20, 1]);
  });

  it('concat undoes split, on any axis', () => {
    const a = counted(2, 5, 3);
    for (const [axis, sizes] of [
      [1, [1, 4]],
      [-1, [2, 1]],
      [0, [1, 1]],
    ] as const) {
      const parts = port.split(a, sizes, axis);
      expect(parts.map((part) => part.dims.at(axis))).toEqual(sizes);
      expect(port.concat(parts, axis)).toEqual(a);
    }
    expect(numbers(port.split(counted(2, 3), [1, 2], 1)[1] as Float64Tensor)).toEqual([1, 2, 4, 5]);
    expect(() => port.split(a, [1, 1], 1)).toThrow('sizes [1, 1] do not add up');
  });

  it('gather picks, repeats and reorders', () => {
    const picked = port.gather(counted(2, 3), [2, 0, 2, 1], 1);
    expect(picked).toEqual(tensor([2, 4], 2, 0, 2, 1, 5, 3, 5, 4));
  });
});
