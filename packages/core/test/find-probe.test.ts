// Sizes tried where the graph does not say how they hang together.
import { findAttention } from '@mhe/core';
import { expect, it } from 'vitest';
import { ViewGraph } from './find-graph.js';

/** A decoder of two heads of three whose mask is as long as the cache and the new positions, by whatever names. */
function decoder(mask: string, past: string): ViewGraph {
  const graph = new ViewGraph();
  const x = graph.input('x', ['batch', 'length', 6]);
  const keep = graph.input('attention_mask', ['batch', mask]);
  const weight = (seed: number) =>
    graph.constant(
      Float64Array.from({ length: 36 }, (_, i) => Math.sin(i + seed)),
      [6, 6],
    );
  const heads = (seed: number) => graph.transpose(graph.reshape(graph.matmul(x, weight(seed)), 0, 0, 2, 3), 0, 2, 1, 3);
  const [key, value] = ['key', 'value'].map((part, i) => {
    const joined = graph.op({ kind: 'concat', axis: 2 }, graph.input(`past_${part}`, ['batch', 2, past, 3]), heads(i));
    graph.outputs.push(joined);
    return joined;
  }) as [string, string];
  const scores = graph.matmul(heads(2), graph.transpose(key, 0, 1, 3, 2));
  const masked = graph.binary('add', scores, graph.op({ kind: 'unsqueeze' }, keep, graph.list(1, 2)));
  const context = graph.matmul(graph.softmax(masked), value);
  graph.outputs.push(graph.matmul(graph.reshape(graph.transpose(context, 0, 2, 1, 3), 0, 0, 6), weight(3)));
  return graph;
}

it.each([
  ['total_sequence_length', 'past_sequence_length'],
  ['past + length', 'past'],
  ['s22', 's8'],
])('finds a decoder whose mask is as long as its keys: %s, %s', (mask, past) => {
  const { found, skipped } = findAttention(decoder(mask, past).view());
  expect(skipped).toEqual([]);
  expect(found.map(({ site }) => site.cache?.key?.past)).toEqual(['past_key']);
});
