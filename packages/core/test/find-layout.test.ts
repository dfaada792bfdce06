// Where each moving operator takes its elements from, against the operator run on the numbers of the places.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { layoutOf } from '../src/find/layout.js';
import type { Operator, ViewNode } from '../src/find/view.js';
import { results, type Value } from './find-interpreter.js';

/** A moving node on a tensor of these dimensions; operands beyond the first by place. */
interface Move {
  readonly operator: Operator;
  readonly dims: readonly number[];
  readonly operands: readonly (Value | undefined)[];
  readonly outputs: number;
}

const dimsOf = (minRank: number, maxRank: number, smallest = 1) =>
  fc.array(fc.integer({ min: smallest, max: 4 }), { minLength: minRank, maxLength: maxRank });

const list = (...data: number[]): Value => ({ dims: [data.length], data, type: 'integer' });

const move = (
  operator: Operator,
  dims: readonly number[],
  operands: (Value | undefined)[] = [],
  outputs = 1,
): Move => ({
  operator,
  dims,
  operands,
  outputs,
});

/** Numbers that permute the axes, or name some of them, counted from either end. */
const permutationOf = (rank: number) => fc.shuffledSubarray([...Array(rank).keys()], { minLength: rank });
const axesOf = (rank: number, from: readonly number[], minLength = 0) =>
  fc
    .tuple(fc.shuffledSubarray([...from], { minLength }), fc.boolean())
    .map(([axes, fromEnd]) => axes.map((axis) => (fromEnd ? axis - rank : axis)));

/** A shape of as many elements: dimensions merged, a size split in two, sometimes copied (0) or left open (-1). */
const reshapes = dimsOf(1, 4).chain((dims) =>
  fc.record({ merge: fc.nat(dims.length - 1), open: fc.nat(5), copy: fc.nat(5) }).map(({ merge, open, copy }) => {
    const target = [
      ...dims.slice(0, merge),
      ...(dims.length - merge > 1 ? [(dims[merge] as number) * (dims[merge + 1] as number)] : [dims[merge] as number]),
      ...dims.slice(merge + 2),
    ];
    target.push(1);
    if (copy < Math.min(merge, target.length)) target[copy] = 0;
    if (open < target.length && target[open] !== 0) target[open] = -1;
    return move({ kind: 'reshape', zeroIsSize: false }, dims, [list(...target)]);
  }),
);

/** Ends of slices as exporters write them: counted from either end, beyond it, or as far as int64 goes. */
const bound = fc.oneof(fc.integer({ min: -6, max: 6 }), fc.constantFrom(2 ** 31 - 1, 2 ** 63, -(2 ** 63), -(2 ** 31)));

const slices = dimsOf(1, 3, 1).chain((dims) =>
  axesOf(dims.length, [...dims.keys()], 1).chain((axes) =>
    fc
      .tuple(
        ...['starts', 'ends'].map(() => fc.array(bound, { minLength: axes.length, maxLength: axes.length })),
        fc.array(fc.constantFrom(1, 2, -1, -2), { minLength: axes.length, maxLength: axes.length }),
        fc.boolean(),
      )
      .map(([starts = [], ends = [], steps, stepped]) =>
        move({ kind: 'slice' }, dims, [
          list(...(starts as number[])),
          list(...(ends as number[])),
          list(...axes),
          stepped ? list(...(steps as number[])) : undefined,
        ]),
      ),
  ),
);

const splits = dimsOf(1, 3).chain((dims) =>
  fc
    .record({ axis: fc.nat(dims.length - 1), cut: fc.nat(4), explicit: fc.boolean() })
    .map(({ axis, cut, explicit }) => {
      const whole = dims[axis] as number;
      const first = Math.min(cut, whole);
      const operator = { kind: 'split', axis: axis - dims.length } as const;
      return explicit
        ? move(operator, dims, [list(first, 0, whole - first)], 3)
        : move(operator, dims, [], Math.min(whole, 1 + cut));
    }),
);

const gathers = dimsOf(1, 3).chain((dims) =>
  fc.nat(dims.length - 1).chain((axis) =>
    dimsOf(0, 2).chain((chosen) => {
      const size = chosen.reduce((product, dim) => product * dim, 1);
      const whole = dims[axis] as number;
      return fc
        .array(fc.integer({ min: -whole, max: whole - 1 }), { minLength: size, maxLength: size })
        .map((data) => move({ kind: 'gather', axis }, dims, [{ dims: chosen, data, type: 'integer' }]));
    }),
  ),
);

const moves: Readonly<Record<string, fc.Arbitrary<Move>>> = {
  identity: dimsOf(0, 4).map((dims) => move({ kind: 'identity' }, dims)),
  reshape: reshapes,
  'reshape to no elements': fc.constant(move({ kind: 'reshape', zeroIsSize: true }, [2, 0, 3], [list(3, 0)])),
  flatten: dimsOf(1, 4).chain((dims) =>
    fc.integer({ min: -dims.length, max: dims.length }).map((axis) => move({ kind: 'flatten', axis }, dims)),
  ),
  transpose: dimsOf(1, 4).chain((dims) =>
    permutationOf(dims.length).map((permutation) => move({ kind: 'transpose', permutation }, dims)),
  ),
  'transpose without a permutation': dimsOf(0, 4).map((dims) => move({ kind: 'transpose', permutation: null }, dims)),
  squeeze: dimsOf(1, 4).chain((dims) =>
    axesOf(
      dims.length,
      dims.flatMap((dim, axis) => (dim === 1 ? [axis] : [])),
    ).map((axes) => move({ kind: 'squeeze' }, dims, [list(...axes)])),
  ),
  'squeeze without axes': dimsOf(0, 4).map((dims) => move({ kind: 'squeeze' }, dims)),
  unsqueeze: dimsOf(0, 3).chain((dims) =>
    fc.integer({ min: 1, max: 2 }).chain((more) => {
      const rank = dims.length + more;
      return fc
        .tuple(fc.shuffledSubarray([...Array(rank).keys()], { minLength: more, maxLength: more }), fc.boolean())
        .map(([axes, fromEnd]) =>
          move({ kind: 'unsqueeze' }, dims, [list(...axes.map((axis) => (fromEnd ? axis - rank : axis)))]),
        );
    }),
  ),
  expand: dimsOf(0, 3).chain((dims) =>
    fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 1, max: 3 })), { maxLength: 4 }).map((wishes) => {
      const target = wishes.map(([widens, size], i) => {
        const own = dims[i - wishes.length + dims.length] ?? 1;
        return widens ? (own === 1 ? size : own) : 1;
      });
      return move({ kind: 'expand' }, dims, [list(...target)]);
    }),
  ),
  tile: dimsOf(1, 3).chain((dims) =>
    fc
      .array(fc.integer({ min: 0, max: 3 }), { minLength: dims.length, maxLength: dims.length })
      .map((repeats) => move({ kind: 'tile' }, dims, [list(...repeats)])),
  ),
  slice: slices,
  split: splits,
  gather: gathers,
};

function asNode({ operator, operands, outputs }: Move): ViewNode {
  return {
    operator,
    inputs: ['x', ...operands.map((operand, i) => (operand ? `operand${i + 1}` : ''))],
    outputs: Array.from({ length: outputs }, (_, i) => `y${i}`),
    source: 'node',
  };
}

describe('layoutOf', () => {
  it.each(Object.keys(moves))('follows every element through %s', (kind) => {
    fc.assert(
      fc.property(moves[kind] as fc.Arbitrary<Move>, (made) => {
        const node = asNode(made);
        const size = made.dims.reduce((product, dim) => product * dim, 1);
        const values = new Map<string, Value>([
          ['x', { dims: made.dims, data: Array.from({ length: size }, (_, i) => i), type: 'integer' }],
          ...made.operands.flatMap((operand, i) => (operand ? [[`operand${i + 1}`, operand] as const] : [])),
        ]);
        const numbers = (place: number) => {
          const operand = made.operands[place - 1];
          return operand && Array.from(operand.data);
        };
        results(node, values).forEach(([, expected], output) => {
          const layout = layoutOf(node, output, made.dims, numbers, made.operands[0]?.dims);
          expect(layout?.dims).toEqual(expected.dims);
          expect(Array.from(layout?.source() ?? [])).toEqual(Array.from(expected.data));
        });
      }),
      { numRuns: 300, seed: 1 },
    );
  });

  const bad: readonly (readonly [what: string, move: Move])[] = [
    ['a reshape to another number of elements', move({ kind: 'reshape', zeroIsSize: false }, [2, 3], [list(4)])],
    ['a reshape that no size completes', move({ kind: 'reshape', zeroIsSize: false }, [2, 3], [list(4, -1)])],
    ['a copied dimension that is not there', move({ kind: 'reshape', zeroIsSize: false }, [6], [list(6, 0)])],
    ['a permutation of another rank', move({ kind: 'transpose', permutation: [1, 0] }, [2, 3, 4])],
    ['an expansion that does not fit', move({ kind: 'expand' }, [2, 3], [list(2, 4)])],
    ['repeats of another rank', move({ kind: 'tile' }, [2, 3], [list(2)])],
    ['parts beyond the end', move({ kind: 'split', axis: 0 }, [4], [list(3, 3)], 2)],
    ['other parts than outputs', move({ kind: 'split', axis: 0 }, [4], [list(1, 1, 2)], 2)],
    ['an index beyond the end', move({ kind: 'gather', axis: 0 }, [4], [list(4)])],
    ['an axis that is not there', move({ kind: 'slice' }, [4], [list(0), list(1), list(1)])],
    ['a step of 0', move({ kind: 'slice' }, [4], [list(0), list(1), list(0), list(0)])],
    ['a target that is not known', move({ kind: 'reshape', zeroIsSize: false }, [4])],
    ['starts that are not known', move({ kind: 'slice' }, [4])],
  ];
  it.each(bad)('gives nothing for %s', (_, made) => {
    const numbers = (place: number) => made.operands[place - 1] && Array.from(made.operands[place - 1]?.data ?? []);
    const last = asNode(made).outputs.length - 1;
    expect(layoutOf(asNode(made), last, made.dims, numbers, made.operands[0]?.dims)).toBeUndefined();
  });
});
