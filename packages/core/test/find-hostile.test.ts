// Graphs made to exhaust the finder: it has to end soon, and without much memory, whatever it says of them.
import { type Finding, findAttention, type GraphView } from '@mhe/core';
import { describe, expect, it } from 'vitest';
import { evaluate } from '../src/find/evaluate.js';
import { Inquiry } from '../src/find/inquiry.js';
import { ViewGraph } from './find-graph.js';
import { probeOf } from './find-inquiry.js';

/** Generous: what does not end takes minutes, or the process with it. */
const LIMIT = 20_000;

function weight(graph: ViewGraph, ...dims: number[]): string {
  return graph.constant(new Float64Array(dims.reduce((product, dim) => product * dim, 1)).fill(0.5), dims);
}

/** Attention of two heads over a stream, something done to its scores. */
function attention(graph: ViewGraph, stream: string, onScores = (value: string) => value): GraphView {
  const heads = () => graph.transpose(graph.reshape(graph.matmul(stream, weight(graph, 6, 6)), 0, 0, 2, 3), 0, 2, 1, 3);
  const scores = onScores(graph.matmul(heads(), graph.transpose(heads(), 0, 1, 3, 2)));
  const context = graph.matmul(graph.softmax(scores), heads());
  graph.outputs.push(graph.matmul(graph.reshape(graph.transpose(context, 0, 2, 1, 3), 0, 0, 6), weight(graph, 6, 6)));
  return graph.view();
}

function repeated(count: number, start: string, step: (value: string) => string): string {
  let value = start;
  for (let i = 0; i < count; i++) value = step(value);
  return value;
}

function ends(find: () => Finding): Finding {
  const start = performance.now();
  const finding = find();
  expect(performance.now() - start).toBeLessThan(LIMIT);
  return finding;
}

describe('findAttention ends', () => {
  it('on ten thousand nodes before the stream', () => {
    const graph = new ViewGraph();
    const x = graph.input('x', ['batch', 'length', 6]);
    const view = attention(
      graph,
      repeated(10_000, x, (value) => graph.op({ kind: 'unary', name: 'Tanh' }, value)),
    );
    expect(ends(() => findAttention(view)).found).toHaveLength(1);
  });

  it('on ten thousand nodes between the scores and the softmax', () => {
    const graph = new ViewGraph();
    const x = graph.input('x', ['batch', 'length', 6]);
    const view = attention(graph, x, (scores) =>
      repeated(10_000, scores, (value) => graph.op({ kind: 'identity' }, value)),
    );
    const { found, skipped } = ends(() => findAttention(view));
    expect(found).toEqual([]);
    expect(skipped[0]?.reason).toMatch(/no product of queries and keys/);
  });

  it('on scores that are added to themselves over and over, with and without a product behind', () => {
    for (const isProduct of [true, false]) {
      const graph = new ViewGraph();
      const x = graph.input('x', ['batch', 'length', 6]);
      const view = attention(graph, x, (scores) =>
        repeated(60, isProduct ? scores : graph.input('s', ['batch', 2, 'length', 'length']), (value) =>
          graph.binary('add', value, value),
        ),
      );
      expect(ends(() => findAttention(view)).found).toEqual([]);
    }
  });

  it('on a chain of choices between two masks, none of which leads to a product', () => {
    const graph = new ViewGraph();
    const x = graph.input('x', ['batch', 'length', 6]);
    const condition = graph.input('c', [], 'boolean');
    const dead = graph.input('s', ['batch', 2, 'length', 'length']);
    const view = attention(graph, x, () =>
      repeated(40, dead, (value) => graph.op({ kind: 'where' }, condition, value, value)),
    );
    expect(ends(() => findAttention(view)).found).toEqual([]);
  });

  it('on probabilities that fork and join over and over', () => {
    const graph = new ViewGraph();
    const x = graph.input('x', ['batch', 'length', 6]);
    const heads = () => graph.transpose(graph.reshape(graph.matmul(x, weight(graph, 6, 6)), 0, 0, 2, 3), 0, 2, 1, 3);
    const scores = graph.matmul(heads(), graph.transpose(heads(), 0, 1, 3, 2));
    const forked = repeated(100, graph.softmax(scores), (value) => {
      const [one, other] = [graph.op({ kind: 'identity' }, value), graph.op({ kind: 'identity' }, value)];
      return graph.op({ kind: 'reshape', zeroIsSize: false }, one, other);
    });
    graph.outputs.push(graph.matmul(forked, heads()));
    expect(ends(() => findAttention(graph.view())).found).toEqual([]);
  });

  it('on a softmax that thousands of nodes look at', () => {
    const graph = new ViewGraph();
    const x = graph.input('x', ['batch', 'length', 6]);
    const view = attention(graph, x, (scores) => {
      for (let i = 0; i < 10_000; i++)
        graph.op({ kind: 'shape', start: 0, end: null }, graph.op({ kind: 'identity' }, scores));
      return scores;
    });
    expect(ends(() => findAttention(view)).found).toHaveLength(1);
  });

  it('on eight hundred sums of sixteen thousand numbers, in bounded memory', () => {
    const graph = new ViewGraph();
    const x = graph.input('x', ['batch', 'length', 6]);
    const view = attention(graph, x);
    const last = repeated(800, weight(graph, 128, 128), (value) => graph.binary('add', value, graph.list(1)));
    const evaluation = evaluate(graph.view(), probeOf(graph.view(), { batch: 2, length: 5 }));
    const kept = [...evaluation.values()].reduce((sum, { numbers }) => sum + (numbers?.byteLength ?? 0), 0);
    expect(kept).toBeLessThan(40 * 2 ** 20);
    expect(evaluation.get(last)?.dims).toEqual([128, 128]);
    expect(findAttention(view).found).toHaveLength(1);
    // Sizes are told behind them, too: here the block comes after the sums.
    const behind = new ViewGraph();
    repeated(800, weight(behind, 128, 128), (value) => behind.binary('add', value, behind.list(1)));
    expect(findAttention(attention(behind, behind.input('x', ['batch', 'length', 6]))).found).toHaveLength(1);
  });

  it('on scores of a fixed size beyond what is followed, and says the limit', () => {
    const graph = new ViewGraph();
    const { found, skipped } = findAttention(attention(graph, graph.input('x', [1, 4096, 6])));
    expect(found).toEqual([]);
    expect(skipped[0]?.reason).toMatch(
      /of size \[1, 2, 4096, 4096\] is too large to follow: 33554432 elements, at most 16777216 are followed/,
    );
  });

  it('on a weight that is a sum of itself, doubled sixty times', () => {
    const graph = new ViewGraph();
    const last = repeated(60, weight(graph, 200, 200), (value) => graph.binary('add', value, value));
    const start = performance.now();
    const inquiry = new Inquiry(graph.view(), evaluate(graph.view(), probeOf(graph.view(), {})));
    expect(inquiry.constant(last)?.[0]).toBe(0.5 * 2 ** 60);
    expect(performance.now() - start).toBeLessThan(LIMIT);
  });

  it.each<[string, (graph: ViewGraph, x: string) => string]>([
    ['as they are', (_, x) => x],
    ['sliced', (graph, x) => graph.op({ kind: 'slice' }, x, graph.list(1), graph.list(2 ** 31), graph.list(1))],
    [
      'sliced backwards',
      (graph, x) =>
        graph.op({ kind: 'slice' }, x, graph.list(-1), graph.list(-(2 ** 62)), graph.list(1), graph.list(-1)),
    ],
    ['split', (graph, x) => graph.ops({ kind: 'split', axis: 1 }, [x], 2)[0] as string],
    ['tiled', (graph, x) => graph.op({ kind: 'tile' }, x, graph.list(1, 2 ** 20, 1))],
    [
      'expanded',
      (graph, x) =>
        graph.op({ kind: 'expand' }, graph.op({ kind: 'unsqueeze' }, x, graph.list(0)), graph.list(2 ** 40, 1, 1, 1)),
    ],
    ['gathered', (graph, x) => graph.op({ kind: 'gather', axis: 1 }, x, graph.list(0, 1))],
    ['transposed', (graph, x) => graph.transpose(x, 1, 0, 2)],
    ['joined', (graph, x) => graph.op({ kind: 'concat', axis: 1 }, x, x)],
    [
      'filled',
      (graph, x) => graph.binary('add', x, graph.op({ kind: 'fill', value: 1 }, graph.list(2 ** 40, 2 ** 40, 6))),
    ],
    [
      'counted',
      (graph, x) =>
        graph.binary('add', x, graph.op({ kind: 'range' }, graph.list(0), graph.list(2 ** 50), graph.list(1))),
    ],
  ])('on huge declared sizes, %s', (_, change) => {
    for (const huge of [2 ** 31 - 1, 2 ** 40, 2 ** 62]) {
      const graph = new ViewGraph();
      const view = attention(graph, change(graph, graph.input('x', [1, huge, 6])));
      const { found } = ends(() => findAttention(view));
      expect(found.length).toBeLessThanOrEqual(1);
    }
  });

  it('on sizes that make no sense', () => {
    for (const size of [0, -1, -(2 ** 31), Number.NaN, 1.5]) {
      const graph = new ViewGraph();
      expect(ends(() => findAttention(attention(graph, graph.input('x', [1, size, 6])))).found).toEqual([]);
    }
  });

  it('on scores of eight million elements', () => {
    const graph = new ViewGraph();
    const view = attention(graph, graph.input('x', [1, 2000, 6]));
    expect(ends(() => findAttention(view)).found).toHaveLength(1);
  });
});
