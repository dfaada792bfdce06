// Heads that share keys and values, in every way of writing them out: which heads do is read off the graph.
import { findAttention } from '@mhe/core';
import { describe, expect, it } from 'vitest';
import { ViewGraph } from './find-graph.js';

const [QUERIES, KEYS, DIM, WIDTH] = [6, 2, 3, 5];

/** `[batch, 2, length, 3]` to `[batch, 6, length, 3]`. */
type Spread = (graph: ViewGraph, heads: string) => string;

const expanded: Spread = (graph, heads) => {
  const apart = graph.op({ kind: 'unsqueeze' }, heads, graph.list(2));
  const wide = graph.op({ kind: 'expand' }, apart, graph.list(1, 1, QUERIES / KEYS, 1, 1));
  return graph.reshape(wide, 0, QUERIES, -1, DIM);
};
const tiled: Spread = (graph, heads) => graph.op({ kind: 'tile' }, heads, graph.list(1, QUERIES / KEYS, 1, 1));
const gathered: Spread = (graph, heads) => graph.op({ kind: 'gather', axis: 1 }, heads, graph.list(1, 0, 0, 1, 1, 0));
const asTheyAre: Spread = (_, heads) => heads;

function grouped(spreadKeys: Spread, spreadValues: Spread, valueHeads = KEYS) {
  const graph = new ViewGraph();
  const x = graph.input('x', ['batch', 'length', WIDTH]);
  const weight = (rows: number, cols: number) =>
    graph.constant(
      Array.from({ length: rows * cols }, (_, i) => Math.sin(i + 1)),
      [rows, cols],
    );
  const heads = (count: number) =>
    graph.transpose(graph.reshape(graph.matmul(x, weight(WIDTH, count * DIM)), 0, 0, count, DIM), 0, 2, 1, 3);
  const [query, key, value] = [heads(QUERIES), spreadKeys(graph, heads(KEYS)), spreadValues(graph, heads(valueHeads))];
  const probabilities = graph.softmax(graph.matmul(query, graph.transpose(key, 0, 1, 3, 2)));
  const merged = graph.reshape(graph.transpose(graph.matmul(probabilities, value), 0, 2, 1, 3), 0, 0, QUERIES * DIM);
  graph.outputs.push(graph.matmul(merged, weight(QUERIES * DIM, 4)));
  return findAttention(graph.view());
}

describe('heads that share keys and values', () => {
  it.each<[string, Spread, readonly number[]]>([
    ['expanded, neighbours together', expanded, [0, 0, 0, 1, 1, 1]],
    ['tiled, every second one together', tiled, [0, 1, 0, 1, 0, 1]],
    // Groups are counted from the first head's.
    ['gathered, in any order', gathered, [0, 1, 1, 0, 0, 1]],
  ])('are found where they are %s', (_, spread, expected) => {
    const { found, skipped } = grouped(spread, spread);
    expect(skipped).toEqual([]);
    const [{ site, block }] = found as [(typeof found)[0]];
    expect(site.groups).toEqual({ queryKey: KEYS, value: KEYS });
    expect(block.groups).toEqual({ queryKey: expected, value: expected });
    expect(site.parameters.key).toBe(WIDTH * KEYS * DIM);
    const { keyValueGroups, key, query } = block.weights();
    expect(keyValueGroups).toEqual(block.groups);
    expect(query.weight.cols).toBe(QUERIES * DIM);
    // Written out for each head: those of one group are the same.
    const column = (head: number) =>
      Array.from({ length: WIDTH }, (_, r) => key.weight.data[(r * QUERIES + head) * DIM]);
    expected.forEach((group, head) => {
      expect(column(head)).toEqual(column(expected.indexOf(group)));
      expect(column(head)).not.toEqual(column(expected.indexOf(1 - group)));
    });
  });

  it('may share keys alone, or in another way than values', () => {
    const [own] = grouped(expanded, asTheyAre, QUERIES).found as [ReturnType<typeof grouped>['found'][0]];
    expect(own.site.groups).toEqual({ queryKey: KEYS, value: QUERIES });
    const [mixed] = grouped(expanded, tiled).found as [ReturnType<typeof grouped>['found'][0]];
    expect(mixed.block.groups).toEqual({ queryKey: [0, 0, 0, 1, 1, 1], value: [0, 1, 0, 1, 0, 1] });
  });
});
