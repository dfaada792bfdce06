// Values followed back to the projection they come from, against the graph run on numbers.
import { seededRandom } from '@mhe/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { traceProjection } from '../src/find/trace.js';
import { ViewGraph } from './find-graph.js';
import { inquiryOf, refusalOf } from './find-inquiry.js';
import { interpret, type Value } from './find-interpreter.js';

const sizes = { batch: 2, length: 3 };
const random = seededRandom(3);
const numbers = (count: number) => Float64Array.from({ length: count }, () => 1 + random.uniform());

/** `x [batch, length, 4]` times `W [4, 6]`, as the ways of writing it go. */
function projected(graph: ViewGraph): string {
  return graph.matmul(graph.input('x', ['batch', 'length', 4]), graph.constant(numbers(24), [4, 6]));
}

/** One step from a value of known size; the picks choose among what fits. */
type Step = (graph: ViewGraph, value: string, dims: readonly number[], pick: number) => string;

const steps: Readonly<Record<string, Step>> = {
  'a bias of the last axis': (graph, value, dims) => {
    const width = dims.at(-1) as number;
    return graph.binary('add', graph.constant(numbers(width), [width]), value);
  },
  'a shift of every element': (graph, value, dims) => {
    const size = dims.reduce((product, dim) => product * dim, 1);
    return graph.binary('sub', value, graph.constant(numbers(size), dims));
  },
  'what is left of a constant': (graph, value) => graph.binary('sub', graph.scalar(0.5), value),
  'a scale': (graph, value) => graph.binary('mul', value, graph.scalar(0.25)),
  'a scale of every column': (graph, value, dims) => {
    const width = dims.at(-1) as number;
    return graph.binary('mul', value, graph.constant(numbers(width), [width]));
  },
  'a divisor': (graph, value) => graph.binary('div', value, graph.constant([2], [1])),
  'the square root of a size': (graph, value) => {
    const last = graph.op({ kind: 'shape', start: -1, end: null }, value);
    const root = graph.op({ kind: 'unary', name: 'sqrt' }, graph.op({ kind: 'cast', to: 'float' }, last));
    return graph.binary('div', value, root);
  },
  'a change of sign': (graph, value) => graph.op({ kind: 'unary', name: 'neg' }, value),
  'a cast': (graph, value) => graph.op({ kind: 'cast', to: 'float' }, value),
  'an axis split in two': (graph, value, dims, pick) => {
    const axis = pick % dims.length;
    const size = dims[axis] as number;
    const part = [3, 2, 1].find((part) => size % part === 0) as number;
    return graph.reshape(value, ...dims.slice(0, axis), size / part, part, ...dims.slice(axis + 1));
  },
  'two axes merged': (graph, value, dims, pick) => {
    const axis = pick % Math.max(1, dims.length - 1);
    return graph.reshape(value, ...dims.slice(0, axis), -1, ...dims.slice(axis + 2));
  },
  'axes moved': (graph, value, dims, pick) => {
    const order = dims.map((_, axis) => axis);
    const [moved] = order.splice(pick % dims.length, 1) as [number];
    order.splice(Math.floor(pick / 7) % dims.length, 0, moved);
    return graph.transpose(value, ...order);
  },
  'part of an axis': (graph, value, dims, pick) => {
    const axis = pick % dims.length;
    const size = dims[axis] as number;
    const start = pick % size;
    return graph.op(
      { kind: 'slice' },
      value,
      graph.list(start),
      graph.list(start + Math.ceil(size / 2)),
      graph.list(axis),
    );
  },
  'every other place': (graph, value, dims, pick) => {
    const axis = pick % dims.length;
    return graph.op({ kind: 'slice' }, value, graph.list(-1), graph.list(-100), graph.list(axis), graph.list(-2));
  },
  'one place picked': (graph, value, dims, pick) => {
    const axis = pick % dims.length;
    return graph.op({ kind: 'gather', axis }, value, graph.constant([pick % (dims[axis] as number)], [], 'integer'));
  },
  'one part of a split': (graph, value, dims, pick) => {
    const axis = pick % dims.length;
    const size = dims[axis] as number;
    const parts = [3, 2, 1].find((parts) => size % parts === 0) as number;
    return graph.ops({ kind: 'split', axis }, [value], parts).at(-1) as string;
  },
  'a new axis, repeated': (graph, value, dims, pick) => {
    const wide = graph.op({ kind: 'unsqueeze' }, value, graph.list(pick % (dims.length + 1)));
    return graph.op(
      { kind: 'expand' },
      wide,
      graph.list(...[...dims.slice(0, pick % (dims.length + 1)), 2, ...dims.slice(pick % (dims.length + 1))]),
    );
  },
};

function feeds(seed: number): Record<string, Value> {
  const random = seededRandom(seed);
  return { x: { dims: [2, 3, 4], data: Float64Array.from({ length: 24 }, random.normal), type: 'float' } };
}

/** What a trace says the value is, computed from the stream and the weight. */
function rebuilt(graph: ViewGraph, id: string, feed: Record<string, Value>): { traced: Value; hasBias: boolean } {
  const view = graph.view();
  const traced = traceProjection(inquiryOf(view, sizes), id, 'query');
  const values = interpret(view, feed);
  const { projection, rows, columns, gain, offset } = traced;
  const [stream, weight] = [values.get(projection.stream) as Value, values.get(projection.weight) as Value];
  const width = projection.inputDim;
  const numbers = Float64Array.from(rows, (row, i) => {
    let sum = 0;
    for (let c = 0; c < width; c++) {
      const x = stream.data[row * width + c] as number;
      sum += x * (weight.data[c * projection.columnCount + (columns[i] as number)] as number);
    }
    return (gain[i] as number) * sum + (offset[i] as number);
  });
  return { traced: { dims: traced.dims, data: numbers, type: 'float' }, hasBias: traced.hasBias };
}

describe('traceProjection', () => {
  it('knows every element through biases, scales and layouts in any order', () => {
    const names = Object.keys(steps);
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom(...names), fc.nat(1000)), { maxLength: 8 }), (chosen) => {
        const graph = new ViewGraph();
        let value = projected(graph);
        const taken: string[] = [];
        for (const [name, pick] of chosen) {
          const dims = inquiryOf(graph.view(), sizes).dims(value);
          if (dims.length === 0 || dims.length > 6) break;
          value = (steps[name] as Step)(graph, value, dims, pick);
          taken.push(name);
        }
        const { traced, hasBias } = rebuilt(graph, value, feeds(1));
        const expected = interpret(graph.view(), feeds(1)).get(value) as Value;
        expect(traced.dims).toEqual(expected.dims);
        Array.from(expected.data).forEach((number, i) => {
          expect(traced.data[i]).toBeCloseTo(number, 9);
        });
        const shifts = ['a bias of the last axis', 'a shift of every element', 'what is left of a constant'];
        expect(hasBias).toBe(taken.some((name) => shifts.includes(name)));
      }),
      { numRuns: 400, seed: 1 },
    );
  });

  it.each<[string, (graph: ViewGraph) => string]>([
    [
      'the weight first',
      (graph) => {
        const x = graph.input('x', [4, 'length']);
        return graph.matmul(graph.constant(numbers(24), [6, 4]), x);
      },
    ],
    [
      'a weight that is used transposed',
      (graph) =>
        graph.op(
          { kind: 'matmul', transposeA: false, transposeB: true },
          graph.input('x', ['length', 4]),
          graph.constant(numbers(24), [6, 4]),
        ),
    ],
    [
      'a stream that is used transposed',
      (graph) =>
        graph.op(
          { kind: 'matmul', transposeA: true, transposeB: false },
          graph.input('x', [4, 'length']),
          graph.constant(numbers(24), [4, 6]),
        ),
    ],
    [
      'a convolution of one point',
      (graph) =>
        graph.op(
          { kind: 'pointwise' },
          graph.input('x', ['batch', 4, 'length']),
          graph.constant(numbers(24), [6, 4, 1]),
        ),
    ],
    [
      'an einsum to heads',
      (graph) =>
        graph.op(
          { kind: 'einsum', equation: 'bld,dhk->bhlk' },
          graph.input('x', ['batch', 'length', 4]),
          graph.constant(numbers(24), [4, 2, 3]),
        ),
    ],
    [
      'a weight of leading ones',
      (graph) => graph.matmul(graph.input('x', ['batch', 'length', 4]), graph.constant(numbers(24), [1, 4, 6])),
    ],
  ])('reads a projection with %s', (_, build) => {
    const graph = new ViewGraph();
    const value = build(graph);
    const { dims } = graph.inputs[0] as (typeof graph.inputs)[0];
    const own = dims.map((dim) =>
      typeof dim === 'string' ? (sizes[dim as keyof typeof sizes] as number) : (dim as number),
    );
    const size = own.reduce((product, dim) => product * dim, 1);
    const feed = {
      x: { dims: own, data: Float64Array.from({ length: size }, (_, i) => Math.sin(i)), type: 'float' },
    } as const;
    const inquiry = inquiryOf(graph.view(), sizes);
    const { projection, rows, columns } = traceProjection(inquiry, value, 'query');
    const expected = interpret(graph.view(), feed).get(value) as Value;
    // The stream's row and the weight's column by the axes that the projection names.
    const weight = interpret(graph.view(), feed).get(projection.weight) as Value;
    const axisPlaces = (dims: readonly number[], axes: readonly number[], at: number, axis: number, c: number) => {
      const index = dims.map(() => 0);
      let rest = at;
      for (const own of [...axes].reverse()) {
        index[own] = rest % (dims[own] as number);
        rest = Math.floor(rest / (dims[own] as number));
      }
      index[axis] = c;
      return index.reduce((sum, i, own) => sum * (dims[own] as number) + i, 0);
    };
    Array.from(expected.data).forEach((number, i) => {
      let sum = 0;
      for (let c = 0; c < projection.inputDim; c++) {
        const x = feed.x.data[
          axisPlaces(own, projection.rowAxes, rows[i] as number, projection.channelAxis, c)
        ] as number;
        const place = axisPlaces(
          weight.dims,
          projection.weightColumnAxes,
          columns[i] as number,
          projection.weightChannelAxis,
          c,
        );
        sum += x * (weight.data[place] as number);
      }
      expect(sum).toBeCloseTo(number, 9);
    });
  });

  it.each<[string, (graph: ViewGraph) => string, RegExp]>([
    [
      'a mixture by position that is no rotation',
      (graph) => {
        const q = graph.binary('add', projected(graph), graph.constant(numbers(6), [6]));
        const [cosine, sine] = [graph.input('cos', ['length', 6]), graph.input('sin', ['length', 6])];
        return graph.binary('add', graph.binary('mul', q, cosine), graph.binary('mul', q, sine));
      },
      /rotated by its position in a way that is not followed/,
    ],
    [
      'a shift behind a cache',
      (graph) => {
        const past = graph.input('past', ['batch', 'length', 6]);
        const joined = graph.op({ kind: 'concat', axis: 1 }, past, projected(graph));
        return graph.binary('add', joined, graph.constant(numbers(6), [6]));
      },
      /shifted behind its cache/,
    ],
    [
      'a cache along its features',
      (graph) => graph.op({ kind: 'concat', axis: 2 }, graph.input('past', ['batch', 'length', 3]), projected(graph)),
      /joined to a cache along its features/,
    ],
    [
      'pieces put together',
      (graph) => {
        const q = projected(graph);
        return graph.op({ kind: 'concat', axis: 1 }, graph.op({ kind: 'identity' }, q), q);
      },
      /put together by/,
    ],
    [
      'a norm',
      (graph) => graph.op({ kind: 'opaque', name: 'LayerNormalization', shapes: ([x]) => [x] }, projected(graph)),
      /passes through .*LayerNormalization/,
    ],
    [
      'a positional addition of its own',
      (graph) => graph.binary('add', projected(graph), graph.input('positions', ['length', 6])),
      /add\) with an operand that is not constant/,
    ],
    [
      'a gate',
      (graph) => graph.binary('mul', projected(graph), graph.input('gate', ['length', 6])),
      /mul\) with an operand that is not constant/,
    ],
    [
      'a division by it',
      (graph) => graph.binary('div', graph.scalar(1), projected(graph)),
      /div\) with an operand that is not constant/,
    ],
    ['an activation', (graph) => graph.op({ kind: 'unary', name: 'Tanh' }, projected(graph)), /passes through .*Tanh/],
    [
      'no projection at all',
      (graph) => graph.reshape(graph.input('x', ['batch', 'length', 6]), 0, 0, 2, 3),
      /graph input "x", not a projection/,
    ],
    [
      'a product of two inputs',
      (graph) => graph.matmul(graph.input('x', ['length', 4]), graph.input('y', [4, 6])),
      /product without a constant weight/,
    ],
    [
      'a product of constants',
      (graph) => graph.matmul(graph.constant(numbers(8), [2, 4]), graph.constant(numbers(24), [4, 6])),
      /product of constants/,
    ],
    ['a constant', (graph) => graph.reshape(graph.constant(numbers(6), [6]), 2, 3), /query is constant/],
    [
      'a weight for every sequence',
      (graph) => graph.matmul(graph.input('x', ['batch', 'length', 4]), graph.constant(numbers(48), [2, 4, 6])),
      /product without a constant weight/,
    ],
  ])('refuses %s', (_, build, reason) => {
    const graph = new ViewGraph();
    const value = build(graph);
    expect(refusalOf(() => traceProjection(inquiryOf(graph.view(), sizes), value, 'query'))).toMatch(reason);
  });

  it('refuses a way that is too long, and ends', () => {
    const graph = new ViewGraph();
    let value = projected(graph);
    for (let i = 0; i < 10_000; i++) value = graph.op({ kind: 'identity' }, value);
    expect(refusalOf(() => traceProjection(inquiryOf(graph.view(), sizes), value, 'query'))).toMatch(
      /no projection within/,
    );
  });
});
