// Keys and values that go to another graph of the same model, or come from it, without anything joined to them here.
import { findAttention } from '@mhe/core';
import { describe, expect, it } from 'vitest';
import { ViewGraph } from './find-graph.js';

const [HEADS, DIM, WIDTH] = [2, 3, 5];

/** Attention whose keys are scaled between what is kept and the product, as some exporters do. */
function handingOn(order: readonly [number, number, number, number], isKept = true, isAside = false) {
  const graph = new ViewGraph();
  const x = graph.input('x', ['batch', 'length', WIDTH]);
  const weight = (rows: number, cols: number) =>
    graph.constant(
      Array.from({ length: rows * cols }, (_, i) => Math.sin(i + cols)),
      [rows, cols],
    );
  const heads = () => graph.reshape(graph.matmul(x, weight(WIDTH, HEADS * DIM)), 0, 0, HEADS, DIM);
  const query = graph.transpose(heads(), 0, 2, 1, 3);
  const projected = heads();
  const [key, value] = [graph.transpose(projected, ...order), graph.transpose(heads(), ...order)];
  const back = [0, 1, 2, 3].map((axis) => order.indexOf([0, 2, 1, 3][axis] as number));
  const values = graph.transpose(value, ...back);
  const turned = isAside
    ? graph.transpose(projected, 0, 2, 3, 1)
    : graph.transpose(graph.transpose(key, ...back), 0, 1, 3, 2);
  const scaled = graph.binary('mul', turned, graph.scalar(0.5));
  const context = graph.matmul(graph.softmax(graph.matmul(query, scaled)), values);
  const merged = graph.reshape(graph.transpose(context, 0, 2, 1, 3), 0, 0, HEADS * DIM);
  graph.outputs.push(graph.matmul(merged, weight(HEADS * DIM, 4)), key, value);
  return { key, value, ...findAttention({ ...graph.view(), ...(isKept && { kept: new Set([key, value]) }) }) };
}

describe('keys and values that another graph takes', () => {
  it.each([
    ['batch, head, sequence, feature', [0, 2, 1, 3]],
    ['batch, sequence, head, feature', [0, 1, 2, 3]],
    ['head, batch, feature, sequence', [2, 0, 3, 1]],
  ] as const)('are a cache of %s', (axes, order) => {
    const { found, skipped, key, value } = handingOn(order);
    expect(skipped).toEqual([]);
    const [{ block, site }] = found as [(typeof found)[0]];
    expect(block.key.cache).toMatchObject({ past: null, joined: key, present: [key], axes: axes.split(', ') });
    expect(block.value.cache).toMatchObject({ past: null, joined: value, present: [value] });
    expect(site.scale).toBeCloseTo(0.5);
    // What is kept is not scaled: the factor is the query's.
    const { query, key: keys } = block.weights();
    expect(keys.weight.data[0]).toBeCloseTo(Math.sin(HEADS * DIM));
    expect(query.weight.data[0]).toBeCloseTo(Math.sin(HEADS * DIM) / 2);
  });

  it('may lie beside the way to the product, unscaled', () => {
    const { found, skipped, key } = handingOn([0, 2, 1, 3], true, true);
    expect(skipped).toEqual([]);
    const [{ block }] = found as [(typeof found)[0]];
    expect(block.key.cache).toMatchObject({ joined: key, axes: ['batch', 'head', 'sequence', 'feature'] });
    expect(block.key.cache?.aside.map(({ outputs }) => outputs)).toEqual([[key]]);
    const { query, key: keys } = block.weights();
    expect(keys.weight.data[0]).toBeCloseTo(Math.sin(HEADS * DIM));
    expect(query.weight.data[0]).toBeCloseTo(Math.sin(HEADS * DIM) / 2);
  });

  it('are left alone where nothing says that they are', () => {
    expect(handingOn([0, 2, 1, 3], false).skipped).toMatchObject([
      { reason: expect.stringMatching(/come in nowhere: they are the cache of another graph/) },
    ]);
  });
});
