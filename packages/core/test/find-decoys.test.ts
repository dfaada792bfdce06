// What looks like attention over projections and is not, or is more: left alone, with the reason.
import { findAttention } from '@mhe/core';
import { describe, expect, it } from 'vitest';
import { ViewGraph } from './find-graph.js';

const weight = (graph: ViewGraph, ...dims: number[]) =>
  graph.constant(
    Float64Array.from({ length: dims.reduce((product, dim) => product * dim, 1) }, (_, i) => Math.sin(i + dims.length)),
    dims,
  );

const x = (graph: ViewGraph) => graph.input('x', ['batch', 'length', 6]);

/** `[batch, heads, length, 3]` of a stream. */
function heads(graph: ViewGraph, stream: string, numHeads = 2): string {
  return graph.transpose(
    graph.reshape(graph.matmul(stream, weight(graph, 6, numHeads * 3)), 0, 0, numHeads, 3),
    0,
    2,
    1,
    3,
  );
}

const transposed = (graph: ViewGraph, value: string) => graph.transpose(value, 0, 1, 3, 2);

/** The heads' outputs of plain attention over a stream. */
function context(graph: ViewGraph, stream: string): string {
  const scores = graph.matmul(heads(graph, stream), transposed(graph, heads(graph, stream)));
  return graph.matmul(graph.softmax(scores), heads(graph, stream));
}

const merged = (graph: ViewGraph, value: string) => graph.reshape(graph.transpose(value, 0, 2, 1, 3), 0, 0, 6);

describe('findAttention leaves alone', () => {
  it.each<[string, (graph: ViewGraph) => string, RegExp]>([
    [
      'a classifier',
      (graph) => graph.softmax(graph.matmul(x(graph), weight(graph, 6, 4))),
      /nothing is weighted by it/,
    ],
    [
      'a gate of experts',
      (graph) => {
        const stream = x(graph);
        const gates = graph.softmax(graph.matmul(stream, weight(graph, 6, 4)));
        const experts = graph.op({ kind: 'einsum', equation: 'bld,dek->blek' }, stream, weight(graph, 6, 4, 5));
        const mixed = graph.matmul(graph.op({ kind: 'unsqueeze' }, gates, graph.list(2)), experts);
        return graph.matmul(graph.op({ kind: 'squeeze' }, mixed, graph.list(2)), weight(graph, 5, 6));
      },
      /no product of queries and keys/,
    ],
    [
      'a memory of constants',
      (graph) => {
        const scores = graph.matmul(graph.matmul(x(graph), weight(graph, 6, 5)), weight(graph, 5, 7));
        return graph.matmul(graph.matmul(graph.softmax(scores), weight(graph, 7, 5)), weight(graph, 5, 6));
      },
      /weights constants, not projected values/,
    ],
    [
      'keys of constants',
      (graph) => {
        const stream = x(graph);
        const scores = graph.matmul(graph.matmul(stream, weight(graph, 6, 5)), weight(graph, 5, 7));
        return graph.matmul(
          graph.matmul(graph.softmax(scores), graph.input('y', ['batch', 7, 5])),
          weight(graph, 5, 6),
        );
      },
      /no product of queries and keys/,
    ],
    [
      'a learnt query that pools',
      (graph) => {
        const stream = x(graph);
        const scores = graph.matmul(
          weight(graph, 1, 5),
          graph.transpose(graph.matmul(stream, weight(graph, 6, 5)), 0, 2, 1),
        );
        return graph.matmul(
          graph.matmul(graph.softmax(scores), graph.matmul(stream, weight(graph, 6, 5))),
          weight(graph, 5, 6),
        );
      },
      /no product of queries and keys/,
    ],
    [
      'weights of tokens that pool',
      (graph) => {
        const stream = x(graph);
        const scores = graph.softmax(graph.matmul(stream, weight(graph, 6, 1)), 1);
        return graph.matmul(graph.matmul(graph.transpose(scores, 0, 2, 1), stream), weight(graph, 6, 6));
      },
      /no product of queries and keys/,
    ],
    [
      'streams that are not projected',
      (graph) => {
        const stream = x(graph);
        const scores = graph.matmul(stream, graph.transpose(stream, 0, 2, 1));
        return graph.matmul(graph.matmul(graph.softmax(scores), stream), weight(graph, 6, 6));
      },
      /graph input "x", not a projection/,
    ],
    [
      'queries that are normalised',
      (graph) => {
        const stream = x(graph);
        const q = graph.op(
          { kind: 'opaque', name: 'LayerNormalization', shapes: ([dims]) => [dims] },
          heads(graph, stream),
        );
        const probabilities = graph.softmax(graph.matmul(q, transposed(graph, heads(graph, stream))));
        return graph.matmul(merged(graph, graph.matmul(probabilities, heads(graph, stream))), weight(graph, 6, 6));
      },
      /the query passes through .*LayerNormalization/,
    ],
    [
      'keys and values whose projection is in another graph',
      (graph) => {
        const cached = (name: string) => graph.input(name, ['batch', 2, 'keys', 3]);
        const probabilities = graph.softmax(
          graph.matmul(heads(graph, x(graph)), transposed(graph, cached('past_key'))),
        );
        return graph.matmul(merged(graph, graph.matmul(probabilities, cached('past_value'))), weight(graph, 6, 6));
      },
      /the key is the cache "past_key", whose projection is in another graph/,
    ],
    [
      'a cache that something else reads',
      (graph) => {
        const stream = x(graph);
        const cached = (name: string) =>
          graph.op({ kind: 'concat', axis: 2 }, graph.input(name, ['batch', 2, 'past', 3]), heads(graph, stream));
        const [keys, values] = [cached('past_key'), cached('past_value')];
        graph.outputs.push(graph.op({ kind: 'unary', name: 'Tanh' }, values));
        const probabilities = graph.softmax(graph.matmul(heads(graph, stream), transposed(graph, keys)));
        return graph.matmul(merged(graph, graph.matmul(probabilities, values)), weight(graph, 6, 6));
      },
      /its value cache is read by another operator, too/,
    ],
    [
      'keys of which heads share some features',
      (graph) => {
        const stream = x(graph);
        const wide = graph.matmul(stream, weight(graph, 6, 4));
        const picked = graph.op({ kind: 'gather', axis: 2 }, wide, graph.list(0, 1, 2, 0, 1, 3));
        const keys = graph.transpose(graph.reshape(picked, 0, 0, 2, 3), 0, 2, 1, 3);
        const probabilities = graph.softmax(graph.matmul(heads(graph, stream), transposed(graph, keys)));
        return graph.matmul(merged(graph, graph.matmul(probabilities, heads(graph, stream))), weight(graph, 6, 6));
      },
      /heads share some of their key columns, not all or none/,
    ],
    [
      'heads that are not projected together',
      (graph) => graph.op({ kind: 'unary', name: 'Tanh' }, context(graph, x(graph))),
      /heads' outputs pass through .* before any projection/,
    ],
    [
      'heads with a gate',
      (graph) => graph.binary('mul', context(graph, x(graph)), graph.input('gate', [2, 1, 1])),
      /before any projection/,
    ],
    [
      'an output projection that is fed',
      (graph) => graph.matmul(merged(graph, context(graph, x(graph))), graph.input('w', [6, 6])),
      /not projected by a constant weight/,
    ],
    [
      'an output projection of some heads',
      (graph) => {
        const first = graph.op(
          { kind: 'slice' },
          context(graph, x(graph)),
          graph.list(0),
          graph.list(1),
          graph.list(1),
        );
        return graph.matmul(graph.reshape(graph.transpose(first, 0, 2, 1, 3), 0, 0, 3), weight(graph, 3, 6));
      },
      /does not read every head's output once/,
    ],
    [
      'heads that are put together twice',
      (graph) => {
        const twice = graph.op({ kind: 'tile' }, merged(graph, context(graph, x(graph))), graph.list(1, 1, 2));
        return graph.matmul(twice, weight(graph, 12, 6));
      },
      /does not read every head's output once/,
    ],
    [
      'tokens that are mixed up with heads',
      (graph) => {
        const mixed = graph.reshape(context(graph, x(graph)), 0, -1, 6);
        return graph.matmul(mixed, weight(graph, 6, 6));
      },
      /not in one order|does not read every head's output once/,
    ],
    [
      'heads that two operators read',
      (graph) => {
        const made = context(graph, x(graph));
        graph.outputs.push(graph.op({ kind: 'unary', name: 'Tanh' }, made));
        return graph.matmul(merged(graph, made), weight(graph, 6, 6));
      },
      /several operators read its heads' outputs/,
    ],
    [
      'heads that are an output',
      (graph) => {
        const made = context(graph, x(graph));
        graph.outputs.push(made);
        return graph.matmul(merged(graph, made), weight(graph, 6, 6));
      },
      /the heads' outputs ".*" are an output of the graph/,
    ],
    [
      'heads that nothing reads',
      (graph) => {
        context(graph, x(graph));
        return 'x';
      },
      /nothing reads its heads/,
    ],
    [
      'sizes that are lost on the way',
      (graph) => {
        const stream = graph.op({ kind: 'opaque', name: 'Secret', shapes: null }, x(graph));
        return graph.matmul(merged(graph, context(graph, stream)), weight(graph, 6, 6));
      },
      /cannot be told from the graph; it is lost at opaque\d+/,
    ],
    [
      'a weight that is computed by an unknown operator',
      (graph) => {
        const stream = x(graph);
        const unpacked = graph.op(
          { kind: 'opaque', name: 'DequantizeLinear', shapes: ([dims]) => [dims] },
          weight(graph, 6, 6),
        );
        const q = graph.transpose(graph.reshape(graph.matmul(stream, unpacked), 0, 0, 2, 3), 0, 2, 1, 3);
        const probabilities = graph.softmax(graph.matmul(q, transposed(graph, heads(graph, stream))));
        return graph.matmul(merged(graph, graph.matmul(probabilities, heads(graph, stream))), weight(graph, 6, 6));
      },
      /its weight ".*" is computed by .*DequantizeLinear/,
    ],
    [
      'a layout that changes with the length',
      (graph) => {
        // Heads of 5 for any length of 5, of 6 features split by the length: no property of the graph.
        const stream = x(graph);
        const size = graph.op({ kind: 'shape', start: 1, end: 2 }, stream);
        const rolled = (value: string) => {
          const start = graph.binary('mod', size, graph.constant([3], [1], 'integer'));
          const end = graph.binary('add', start, graph.list(3));
          return graph.op({ kind: 'slice' }, value, start, end, graph.list(3));
        };
        const wide = () =>
          graph.transpose(graph.reshape(graph.matmul(stream, weight(graph, 6, 12)), 0, 0, 2, 6), 0, 2, 1, 3);
        const probabilities = graph.softmax(graph.matmul(rolled(wide()), transposed(graph, heads(graph, stream))));
        return graph.matmul(merged(graph, graph.matmul(probabilities, heads(graph, stream))), weight(graph, 6, 6));
      },
      /its layout, scale or bias changes with the size of the inputs/,
    ],
  ])('%s', (_, build, reason) => {
    const graph = new ViewGraph();
    graph.outputs.push(build(graph));
    const { found, skipped } = findAttention(graph.view());
    expect(found).toEqual([]);
    expect(skipped).toHaveLength(1);
    const [{ reason: said, nodes, name }] = skipped as [(typeof skipped)[0]];
    expect(said).toMatch(reason);
    expect(name).toMatch(/^softmax/);
    const known = new Set(graph.nodes.map(({ source }) => source));
    expect(nodes.every((node) => known.has(node))).toBe(true);
  });

  it('nothing that is attention beside a decoy', () => {
    const graph = new ViewGraph();
    const stream = x(graph);
    const block = graph.matmul(merged(graph, context(graph, stream)), weight(graph, 6, 6));
    graph.outputs.push(graph.softmax(graph.matmul(block, weight(graph, 6, 4))));
    const { found, skipped } = findAttention(graph.view());
    expect(found.map(({ site }) => site.numHeads)).toEqual([2]);
    expect(skipped.map(({ reason }) => reason)).toEqual(['nothing is weighted by it']);
  });
});
