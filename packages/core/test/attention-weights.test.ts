import { causalRule, checkWeights, type FoldedMheWeights, float64Port } from '@mhe/core';
import { describe, expect, it } from 'vitest';
import { type Layout, randomFolded, randomMha, randomMhe } from './attention-cases.js';

const layout: Layout = {
  seed: 1,
  batch: 1,
  numHeads: 3,
  headDim: 2,
  valueHeadDim: 4,
  queryKey: [0, 1, 0],
  value: [0, 0, 0],
  streams: 'self',
  queries: 4,
  keys: 4,
  biases: { query: true, key: true, value: true, output: true },
  scale: 1,
};
const folded = randomFolded(layout, { gain: true, bias: true });

describe('checkWeights', () => {
  it('accepts weights that fit', () => {
    for (const weights of [folded, randomMha(layout), randomMhe(layout, 'add')]) {
      expect(() => checkWeights(weights)).not.toThrow();
    }
  });

  it.each<[string, Partial<FoldedMheWeights>, RegExp]>([
    ['a head size', { headDim: 3 }, /query\.weight must be 6 x 6, got 6 x 4/],
    ['no heads', { numHeads: 0 }, /numHeads must be a whole number above 0, got 0/],
    ['a bias', { key: { ...folded.key, bias: new Float64Array(3) } }, /key\.bias must have 4 numbers, got 3/],
    [
      'data',
      { value: { ...folded.value, weight: { rows: 6, cols: 4, data: new Float64Array(5) } } },
      /value\.weight.*over 5 numbers/,
    ],
    [
      'output rows',
      { output: { weight: { rows: 9, cols: 1, data: new Float64Array(9) }, bias: null } },
      /output\.weight must be 12 x 1/,
    ],
    ['a gain', { queryGain: { rows: 2, cols: 2, data: new Float64Array(4) } }, /queryGain must be 3 x 2, got 2 x 2/],
    [
      'missing group numbers',
      { groups: { queryKey: [0, 1], value: [0, 0, 0] } },
      /groups\.queryKey must name a group for each of 3 heads/,
    ],
    [
      'gaps between groups',
      { groups: { queryKey: [0, 2, 0], value: [0, 0, 0] } },
      /groups\.queryKey must count its groups from 0/,
    ],
  ])('names %s that does not fit', (_what, change, message) => {
    expect(() => checkWeights({ ...folded, ...change })).toThrow(message);
  });
});

describe('causalRule', () => {
  it('refuses more queries than keys', () => {
    expect(() => causalRule(float64Port, 3, 2)).toThrow(/3 queries over 2 keys/);
  });
});
