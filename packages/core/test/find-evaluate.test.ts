// Sizes and small numbers at given input sizes, against the graph run on inputs of these sizes.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Probe } from '../src/find/evaluate.js';
import { evaluate } from '../src/find/evaluate.js';
import type { BinaryName, GraphView, Operator } from '../src/find/view.js';
import { ViewGraph } from './find-graph.js';
import { probeOf } from './find-inquiry.js';
import { results, type Value } from './find-interpreter.js';

/** Inputs of a probe's sizes, filled by a rule. */
function feedsOf(view: GraphView, probe: Probe, of: (i: number) => number): Map<string, Value> {
  return new Map(
    view.inputs.map(({ id, type }) => {
      const dims = probe.inputDims.get(id) as readonly number[];
      const size = dims.reduce((product, dim) => product * dim, 1);
      return [
        id,
        { dims, data: Array.from({ length: size }, (_, i) => of(i)), type: type === 'other' ? 'float' : type },
      ];
    }),
  );
}

/** A graph of as many nodes as make sense, each reading earlier values. */
interface Draft {
  readonly graph: ViewGraph;
  readonly probe: Probe;
  /** What the values are for two sets of inputs of the same sizes. */
  readonly runs: readonly [Map<string, Value>, Map<string, Value>];
}

const binaryNames: readonly BinaryName[] = [
  ...(['add', 'sub', 'mul', 'div', 'mod', 'min', 'max', 'equal', 'less', 'lessOrEqual'] as const),
  ...(['greater', 'greaterOrEqual', 'and', 'or', 'xor'] as const),
];

const operators: fc.Arbitrary<{ readonly operator: Operator; readonly arity: number }> = fc.oneof(
  fc.constantFrom(...binaryNames).map((name) => ({ operator: { kind: 'binary', name } as const, arity: 2 })),
  fc
    .constantFrom('neg', 'sqrt', 'exp', 'not')
    .map((name) => ({ operator: { kind: 'unary', name } as const, arity: 1 })),
  fc.constantFrom('float', 'integer', 'boolean').map((to) => ({ operator: { kind: 'cast', to } as const, arity: 1 })),
  fc
    .tuple(fc.nat(2), fc.constantFrom(null, -1, 2))
    .map(([start, end]) => ({ operator: { kind: 'shape', start, end } as const, arity: 1 })),
  fc.constant({ operator: { kind: 'size' } as const, arity: 1 }),
  fc.constant({ operator: { kind: 'where' } as const, arity: 3 }),
  fc.constantFrom(0, -1).map((axis) => ({ operator: { kind: 'concat', axis } as const, arity: 2 })),
  fc.constant({ operator: { kind: 'reshape', zeroIsSize: false } as const, arity: 2 }),
  fc.constant({ operator: { kind: 'expand' } as const, arity: 2 }),
  fc.constantFrom(0, -1).map((axis) => ({ operator: { kind: 'gather', axis } as const, arity: 2 })),
  fc.constant({ operator: { kind: 'unsqueeze' } as const, arity: 2 }),
  fc.constant({ operator: { kind: 'squeeze' } as const, arity: 1 }),
  fc.constant({ operator: { kind: 'transpose', permutation: null } as const, arity: 1 }),
  fc.constant({ operator: { kind: 'slice' } as const, arity: 3 }),
  fc.constant({ operator: { kind: 'fill', value: 2 } as const, arity: 1 }),
  fc.constant({ operator: { kind: 'range' } as const, arity: 3 }),
  fc.constant({ operator: { kind: 'matmul', transposeA: false, transposeB: false } as const, arity: 2 }),
  fc.constant({ operator: { kind: 'softmax', axis: -1, flattened: false } as const, arity: 1 }),
);

const drafts: fc.Arbitrary<Draft> = fc
  .array(fc.tuple(operators, fc.array(fc.nat(), { minLength: 3, maxLength: 3 })), { maxLength: 40 })
  .map((steps) => {
    const graph = new ViewGraph();
    graph.input('x', ['batch', 'length', 4]);
    graph.input('ids', ['batch', 'length'], 'integer');
    const probe = probeOf(graph.view(), { batch: 2, length: 3 });
    const runs = [
      feedsOf(graph.view(), probe, (i) => (i % 5) - 1),
      feedsOf(graph.view(), probe, (i) => i % 2),
    ] as const;
    const names = ['x', 'ids'];
    const add = (make: () => string) => {
      const before = graph.nodes.length;
      const name = make();
      try {
        for (const values of runs) {
          for (const node of graph.nodes.slice(before)) {
            for (const [output, value] of results(node, values)) {
              if (value.dims.some((dim) => !Number.isInteger(dim) || dim < 0)) throw new RangeError('no size');
              if (!Array.from(value.data).every((x) => Number.isFinite(x))) throw new RangeError('no number');
              if (value.data.length > 500) throw new RangeError('too large');
              values.set(output, value);
            }
          }
        }
        names.push(name);
      } catch {
        for (const node of graph.nodes.splice(before))
          for (const values of runs) values.delete(node.outputs[0] as string);
      }
    };
    for (const list of [[0], [1], [-1], [2, 3], [4]]) add(() => graph.list(...list));
    add(() => graph.constant([0.5, -1.5, 2], [3]));
    add(() => graph.scalar(2));
    for (const [{ operator, arity }, picks] of steps) {
      const inputs = picks.slice(0, arity).map((pick) => names[pick % names.length] as string);
      add(() => graph.op(operator, ...inputs));
    }
    return { graph, probe, runs: [runs[0], runs[1]] };
  });

describe('evaluate', () => {
  it('gives the sizes and numbers that a run gives', () => {
    fc.assert(
      fc.property(drafts, ({ graph, probe, runs: [one, other] }) => {
        const evaluation = evaluate(graph.view(), probe);
        for (const node of graph.nodes) {
          const [name] = node.outputs as [string];
          const known = evaluation.get(name);
          const value = one.get(name) as Value;
          const data = Array.from(value.data);
          if (known) expect([name, known.dims]).toEqual([name, value.dims]);
          if (known?.numbers) expect([name, Array.from(known.numbers)]).toEqual([name, data]);
          // What is called fixed does not depend on what the inputs hold; only such numbers are known.
          if (known?.fixed) expect(data).toEqual(Array.from((other.get(name) as Value).data));
          if (known?.numbers) expect(known.fixed).toBe(true);
        }
      }),
      { numRuns: 300, seed: 1 },
    );
  });

  it('computes the sizes that exporters compute: heads of a width, a window count, a scale', () => {
    const graph = new ViewGraph();
    graph.input('x', ['batch', 'length', 24]);
    const shape = graph.op({ kind: 'shape', start: 0, end: null }, 'x');
    const part = (axis: number) => graph.op({ kind: 'gather', axis: 0 }, shape, graph.constant([axis], [], 'integer'));
    const headDim = graph.binary('div', part(2), graph.constant([5], [], 'integer'));
    const windows = graph.op(
      { kind: 'cast', to: 'integer' },
      graph.binary('div', graph.op({ kind: 'cast', to: 'float' }, part(1)), graph.scalar(2)),
    );
    const scale = graph.op({ kind: 'unary', name: 'sqrt' }, graph.op({ kind: 'cast', to: 'float' }, headDim));
    const evaluation = evaluate(graph.view(), probeOf(graph.view(), { batch: 2, length: 7 }));
    // 24 / 5 and 7 / 2 of whole numbers leave the rest out.
    expect(evaluation.get(headDim)?.numbers).toEqual(Float64Array.of(4));
    expect(evaluation.get(windows)?.numbers).toEqual(Float64Array.of(3));
    expect(evaluation.get(scale)).toMatchObject({
      numbers: Float64Array.of(2),
      fixed: true,
      sized: true,
      type: 'float',
    });
  });

  it('takes what the file states where a size cannot be derived, and nothing where it does not', () => {
    const graph = new ViewGraph();
    graph.input('x', ['batch', 'length', 4]);
    const unknown = () => graph.op({ kind: 'opaque', name: 'Secret', shapes: null }, 'x');
    const [stated, named, open, unstated, rightly] = [
      unknown(),
      unknown(),
      unknown(),
      unknown(),
      graph.op({ kind: 'identity' }, 'x'),
    ];
    graph.declared.set(stated, [2, 9]);
    graph.declared.set(named, ['batch', 'length', 8]);
    graph.declared.set(open, ['batch', null]);
    graph.declared.set(rightly, [1, 1, 1]);
    const after = graph.op({ kind: 'softmax', axis: -1, flattened: false }, unstated);
    const evaluation = evaluate(graph.view(), probeOf(graph.view(), { batch: 2, length: 3 }));
    expect(evaluation.get(stated)?.dims).toEqual([2, 9]);
    expect(evaluation.get(named)?.dims).toEqual([2, 3, 8]);
    expect(evaluation.has(open)).toBe(false);
    expect(evaluation.has(unstated)).toBe(false);
    expect(evaluation.has(after)).toBe(false);
    expect(evaluation.get(rightly)?.dims).toEqual([2, 3, 4]);
  });

  it('knows the size of a lookup by inputs, not its numbers', () => {
    const graph = new ViewGraph();
    graph.input('ids', ['batch', 'length'], 'integer');
    const table = graph.constant(new Float64Array(30), [10, 3]);
    const found = graph.op({ kind: 'gather', axis: 0 }, table, 'ids');
    const evaluation = evaluate(graph.view(), probeOf(graph.view(), { batch: 2, length: 5 }));
    expect(evaluation.get(found)).toMatchObject({ dims: [2, 5, 3], numbers: undefined, fixed: false });
  });

  it('does not read large constants', () => {
    const graph = new ViewGraph();
    const read = () => {
      throw new Error('a weight was read');
    };
    const weight = graph.op({ kind: 'constant', dims: [400, 400], type: 'float', read });
    const turned = graph.transpose(weight, 1, 0);
    const evaluation = evaluate(graph.view(), probeOf(graph.view(), {}));
    expect(evaluation.get(turned)).toMatchObject({ dims: [400, 400], numbers: undefined, fixed: true });
  });

  it.each<[string, Operator, number[], number[]]>([
    ['operands that do not broadcast', { kind: 'binary', name: 'add' }, [2, 3], [2]],
    ['a matrix product of other widths', { kind: 'matmul', transposeA: false, transposeB: false }, [2, 3], [2, 3]],
    ['an einsum of other sizes', { kind: 'einsum', equation: 'ij,jk->ik' }, [2, 3], [2, 3]],
    ['parts of other ranks', { kind: 'concat', axis: 0 }, [2, 3], [2]],
  ])('gives no size for %s', (_, operator, a, b) => {
    const graph = new ViewGraph();
    const name = graph.op(operator, graph.input('a', a), graph.input('b', b));
    expect(evaluate(graph.view(), probeOf(graph.view(), {})).has(name)).toBe(false);
  });
});

describe('the numbers of a reduction', () => {
  it.each<[string, number]>([
    ['max', 3],
    ['min', -2],
    ['sum', 2],
    ['prod', -6],
  ])('over all axes: %s', (name, expected) => {
    const graph = new ViewGraph();
    const value = graph.op({ kind: 'reduce', name, keepDims: false }, graph.constant([1, -2, 3], [3]));
    const view = graph.view();
    expect(evaluate(view, probeOf(view, {})).get(value)?.numbers).toEqual(Float64Array.of(expected));
  });
});
