// Normalisations in the ways that they are written: what is read of them, against the graph run on numbers.
import { seededRandom } from '@mhe/core';
import { describe, expect, it } from 'vitest';
import { normStep } from '../src/find/norm.js';
import { traceProjection } from '../src/find/trace.js';
import { ViewGraph } from './find-graph.js';
import { inquiryOf, refusalOf } from './find-inquiry.js';
import { interpret, type Value } from './find-interpreter.js';

const sizes = { batch: 2, length: 3 };
const EPSILON = 0.25;

type Write = (graph: ViewGraph, value: string) => string;

const unary = (graph: ViewGraph, name: string, value: string) => graph.op({ kind: 'unary', name }, value);
const mean = (graph: ViewGraph, value: string, axis = -1) =>
  graph.op({ kind: 'reduce', name: 'mean', keepDims: true }, value, graph.list(axis));
const cast = (graph: ViewGraph, value: string) => graph.op({ kind: 'cast', to: 'float' }, value);
const raised = (graph: ViewGraph, value: string, power: number) => graph.binary('pow', value, graph.scalar(power));
const meanSquare = (graph: ViewGraph, value: string, axis = -1) =>
  graph.binary('add', mean(graph, raised(graph, value, 2), axis), graph.scalar(EPSILON));

const ways: Readonly<Record<string, Write>> = {
  'a division by the root': (graph, value) =>
    graph.binary('div', value, unary(graph, 'sqrt', meanSquare(graph, value))),
  'a product with the reciprocal': (graph, value) =>
    graph.binary('mul', unary(graph, 'reciprocal', unary(graph, 'sqrt', meanSquare(graph, value))), value),
  'a product with one over the root': (graph, value) => {
    const root = unary(graph, 'sqrt', meanSquare(graph, value));
    return graph.binary('mul', value, graph.binary('div', graph.scalar(1), root));
  },
  'a product with a power': (graph, value) => graph.binary('mul', value, raised(graph, meanSquare(graph, value), -0.5)),
  'its own square, and casts': (graph, value) => {
    const wide = cast(graph, value);
    const squares = graph.binary('add', graph.scalar(EPSILON), mean(graph, graph.binary('mul', wide, wide)));
    return cast(graph, graph.binary('mul', wide, raised(graph, squares, -0.5)));
  },
};

function centred(write: Write): Write {
  return (graph, value) => write(graph, graph.binary('sub', value, mean(graph, value)));
}

/** `x [batch, length, 4]` times `W [4, 6]`, as two heads of three. */
function projected(graph: ViewGraph): string {
  const random = seededRandom(3);
  const weight = Float64Array.from({ length: 24 }, random.normal);
  const product = graph.matmul(graph.input('x', ['batch', 'length', 4]), graph.constant(weight, [4, 6]));
  return graph.reshape(product, 0, 0, 2, 3);
}

const feed: Record<string, Value> = {
  x: { dims: [2, 3, 4], data: Float64Array.from({ length: 24 }, (_, i) => Math.sin(i * i)), type: 'float' },
};

/** What is normalised over the last axis, by the definition. */
function normalised({ dims, data }: Value, isCentred: boolean): number[] {
  const width = dims.at(-1) as number;
  return Array.from(data, (x, i) => {
    const row = Array.from({ length: width }, (_, at) => data[i - (i % width) + at] as number);
    const shift = isCentred ? row.reduce((sum, y) => sum + y, 0) / width : 0;
    const squares = row.reduce((sum, y) => sum + (y - shift) ** 2, 0) / width;
    return (x - shift) / Math.sqrt(squares + EPSILON);
  });
}

describe('a normalisation', () => {
  it.each(
    Object.entries(ways).flatMap(([name, write]): [string, Write, boolean][] => [
      [name, write, false],
      [`${name}, the mean taken off`, centred(write), true],
    ]),
  )('is read where it is written as %s', (_, write, isCentred) => {
    const graph = new ViewGraph();
    const value = projected(graph);
    const end = write(graph, value);
    const view = graph.view();
    const inquiry = inquiryOf(view, sizes);
    // A cast behind it is a step of its own.
    const at = inquiry.producer(end)?.operator.kind === 'cast' ? (inquiry.producer(end)?.inputs[0] as string) : end;
    expect(normStep(inquiry, at)).toMatchObject({ axes: [3], epsilon: EPSILON, centred: isCentred });
    const { norm, columns } = traceProjection(inquiry, end, 'query');
    expect(new Set([0, 1, 2].map((column) => norm?.setOf.get(column))).size).toBe(1);
    expect(norm?.setOf.get(3)).not.toBe(norm?.setOf.get(0));
    const values = interpret(view, feed);
    const expected = normalised(values.get(value) as Value, isCentred);
    Array.from((values.get(end) as Value).data).forEach((number, i) => {
      expect(number).toBeCloseTo(expected[i] as number, 9);
    });
    expect(Array.from(columns.subarray(0, 6))).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it('keeps what follows it apart from what is before it', () => {
    const graph = new ViewGraph();
    const before = graph.binary('add', projected(graph), graph.constant([1, 2, 3], [3]));
    const normed = ways['a product with a power']?.(graph, before) as string;
    const after = graph.binary('mul', normed, graph.constant([4, 5, 6], [3]));
    const end = graph.binary('add', after, graph.constant([7, 8, 9], [3]));
    const { norm, gain, offset, late } = traceProjection(inquiryOf(graph.view(), sizes), end, 'query');
    const start = (numbers?: Float64Array) => Array.from(numbers?.subarray(0, 3) ?? []);
    expect([gain, offset, late].map(start)).toEqual([
      [1, 1, 1],
      [1, 2, 3],
      [1, 1, 1],
    ]);
    expect([norm?.gain, norm?.offset].map(start)).toEqual([
      [4, 5, 6],
      [7, 8, 9],
    ]);
  });

  it.each<[string, Write, RegExp]>([
    [
      'over positions',
      (graph, value) => graph.binary('div', value, unary(graph, 'sqrt', meanSquare(graph, value, 1))),
      /normalised over more than features of one position/,
    ],
    [
      'twice',
      (graph, value) =>
        ways['a division by the root']?.(graph, ways['a product with a power']?.(graph, value) as string) as string,
      /normalised twice/,
    ],
    [
      'behind its cache',
      (graph, value) => {
        const past = graph.input('past', ['batch', 'length', 2, 3]);
        const joined = graph.op({ kind: 'concat', axis: 1 }, past, value);
        return ways['a division by the root']?.(graph, joined) as string;
      },
      /normalised behind its cache/,
    ],
    [
      'by the squares of another value',
      (graph, value) =>
        graph.binary(
          'div',
          value,
          unary(graph, 'sqrt', meanSquare(graph, graph.binary('add', value, graph.scalar(1)))),
        ),
      /with an operand that is not constant/,
    ],
    [
      'by a sum of squares',
      (graph, value) =>
        graph.binary(
          'div',
          value,
          unary(
            graph,
            'sqrt',
            graph.op({ kind: 'reduce', name: 'sum', keepDims: true }, raised(graph, value, 2), graph.list(-1)),
          ),
        ),
      /with an operand that is not constant/,
    ],
  ])('is refused %s', (_, write, reason) => {
    const graph = new ViewGraph();
    const end = write(graph, projected(graph));
    expect(refusalOf(() => traceProjection(inquiryOf(graph.view(), sizes), end, 'query'))).toMatch(reason);
  });
});
