// The labels of products, against the products run by their own definitions.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { contractionOf } from '../src/find/contraction.js';
import type { Operator } from '../src/find/view.js';
import { einsum, results, type Value } from './find-interpreter.js';

function numbered(dims: readonly number[], seed: number): Value {
  const size = dims.reduce((product, dim) => product * dim, 1);
  return { dims, data: Array.from({ length: size }, (_, i) => ((i + 1) * (seed + 3)) % 7), type: 'float' };
}

function expectSame(operator: Operator, a: Value, b: Value) {
  const node = { operator, inputs: ['a', 'b'], outputs: ['out'], source: 'product' };
  const [[, expected]] = results(
    node,
    new Map([
      ['a', a],
      ['b', b],
    ]),
  ) as [[string, Value]];
  const labels = contractionOf(operator, a.dims.length, b.dims.length);
  expect(labels).toBeDefined();
  const actual = labels && einsum(a, b, labels);
  expect(actual?.dims).toEqual(expected.dims);
  expect(Array.from(actual?.data ?? [])).toEqual(Array.from(expected.data));
}

/** Operands of a matmul: leading axes that broadcast, of any ranks from 1. */
const operands = fc
  .record({
    lead: fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 2 }),
    dropA: fc.nat(2),
    dropB: fc.nat(2),
    flatA: fc.boolean(),
    flatB: fc.boolean(),
    rows: fc.integer({ min: 1, max: 3 }),
    inner: fc.integer({ min: 1, max: 3 }),
    cols: fc.integer({ min: 1, max: 3 }),
    vectorA: fc.boolean(),
    vectorB: fc.boolean(),
    transposeA: fc.boolean(),
    transposeB: fc.boolean(),
  })
  .map((drawn) => {
    const leading = (drop: number, flat: boolean) => drawn.lead.slice(drop).map((dim) => (flat ? 1 : dim));
    const matrix = (one: number, other: number, swap: boolean) => (swap ? [other, one] : [one, other]);
    const transposeA = drawn.transposeA && !drawn.vectorA;
    const transposeB = drawn.transposeB && !drawn.vectorB;
    return {
      operator: { kind: 'matmul', transposeA, transposeB } as const,
      a: drawn.vectorA
        ? [drawn.inner]
        : [...leading(drawn.dropA, drawn.flatA), ...matrix(drawn.rows, drawn.inner, transposeA)],
      b: drawn.vectorB
        ? [drawn.inner]
        : [...leading(drawn.dropB, drawn.flatB), ...matrix(drawn.inner, drawn.cols, transposeB)],
    };
  });

describe('contractionOf', () => {
  it('labels matrix products of any ranks', () => {
    fc.assert(
      fc.property(operands, fc.nat(5), ({ operator, a, b }, seed) => {
        expectSame(operator, numbered(a, seed), numbered(b, seed + 1));
      }),
      { numRuns: 400, seed: 1 },
    );
  });

  const equations: readonly (readonly [equation: string, a: readonly number[], b: readonly number[]])[] = [
    ['bld,dhk->blhk', [2, 3, 4], [4, 2, 3]],
    ['blhk,bmhk->bhlm', [2, 3, 2, 4], [2, 2, 2, 4]],
    ['bhlm,bmhk->blhk', [2, 2, 3, 4], [2, 4, 2, 3]],
    ['blhk,hkd->bld', [2, 3, 2, 4], [2, 4, 5]],
    ['ij,kj->ik', [2, 3], [4, 3]],
    ['i,j->ij', [2], [3]],
    ['bi,bi->b', [2, 3], [2, 3]],
    ['bij,bjk->bik', [1, 2, 3], [2, 3, 2]],
  ];
  it.each(equations)('labels the einsum %s', (equation, a, b) => {
    expectSame({ kind: 'einsum', equation }, numbered(a, 1), numbered(b, 2));
  });

  it('labels convolutions of one point in one and in two dimensions', () => {
    expectSame({ kind: 'pointwise' }, numbered([2, 3, 4], 1), numbered([5, 3, 1], 2));
    expectSame({ kind: 'pointwise' }, numbered([2, 3, 2, 4], 1), numbered([5, 3, 1, 1], 2));
  });

  it.each([
    ['a diagonal', 'ii,ij->ij', 2, 2],
    ['a label from nowhere', 'ij,jk->il', 2, 2],
    ['a sum over one operand alone', 'ijx,jk->ik', 3, 2],
    ['an ellipsis', '...ij,jk->ik', 3, 2],
    ['three operands', 'ij,jk,kl->il', 2, 2],
    ['other ranks', 'ij,jk->ik', 3, 2],
    ['no result', 'ij,jk', 2, 2],
  ])('reads no einsum with %s', (_, equation, rankA, rankB) => {
    expect(contractionOf({ kind: 'einsum', equation }, rankA, rankB)).toBeUndefined();
  });

  it('reads nothing that is no product', () => {
    expect(contractionOf({ kind: 'identity' }, 2, 2)).toBeUndefined();
  });
});
