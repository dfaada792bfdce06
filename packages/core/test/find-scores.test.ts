// What happens to the scores on their way: read where it is a scale or a mask, refused where it is anything else.
import { findAttention } from '@mhe/core';
import { describe, expect, it } from 'vitest';
import type { ScoreStep } from '../src/find/scores.js';
import { ViewGraph } from './find-graph.js';

type Change = (graph: ViewGraph, value: string) => string;

/** Two heads of three over `x [batch, length, 6]`, with something done to the scores and to the probabilities. */
function attention(onScores: Change = (_, value) => value, onProbabilities: Change = (_, value) => value): ViewGraph {
  const graph = new ViewGraph();
  const x = graph.input('x', ['batch', 'length', 6]);
  const weight = (seed: number) =>
    graph.constant(
      Float64Array.from({ length: 36 }, (_, i) => Math.sin(i + seed)),
      [6, 6],
    );
  const heads = (seed: number, ...order: number[]) =>
    graph.transpose(graph.reshape(graph.matmul(x, weight(seed)), 0, 0, 2, 3), ...order);
  const scores = onScores(graph, graph.matmul(heads(1, 0, 2, 1, 3), heads(2, 0, 2, 3, 1)));
  const probabilities = onProbabilities(graph, graph.softmax(scores));
  const context = graph.matmul(probabilities, heads(3, 0, 2, 1, 3));
  const merged = graph.reshape(graph.transpose(context, 0, 2, 1, 3), 0, 0, 6);
  graph.outputs.push(graph.matmul(merged, weight(4)));
  return graph;
}

const additive: Change = (graph, value) => graph.binary('add', graph.input('mask', ['batch', 1, 1, 'length']), value);
const truth = (graph: ViewGraph) => graph.input('keep', ['batch', 1, 1, 'length'], 'boolean');
const guard: Change = (graph, value) => {
  const bad = graph.op({ kind: 'unary', name: 'isnan' }, value);
  return graph.op({ kind: 'where' }, bad, graph.scalar(0), value);
};

const steps = (list: readonly { readonly step: ScoreStep }[]) => list.map(({ step }) => step.kind);

describe('the way of the scores', () => {
  it.each<[string, Change, string[], string[], number]>([
    ['nothing', (_, value) => value, [], ['none'], 1],
    ['a scale', (graph, value) => graph.binary('mul', value, graph.scalar(0.25)), ['scale'], ['none'], 0.25],
    ['a divisor', (graph, value) => graph.binary('div', value, graph.scalar(4)), ['scale'], ['none'], 0.25],
    [
      'two scales',
      (graph, value) => graph.binary('div', graph.binary('mul', graph.scalar(3), value), graph.scalar(4)),
      ['scale', 'scale'],
      ['none'],
      0.75,
    ],
    [
      'a soft cap',
      (graph, value) => {
        const small = graph.binary('div', value, graph.scalar(50));
        return graph.binary('mul', graph.op({ kind: 'unary', name: 'Tanh' }, small), graph.scalar(50));
      },
      ['scale', 'cap', 'scale'],
      ['none'],
      1,
    ],
    ['an additive mask', additive, ['add'], ['additive'], 1],
    [
      'a subtracted mask',
      (graph, value) => graph.binary('sub', value, graph.input('mask', ['length', 'length'])),
      ['add'],
      ['additive'],
      1,
    ],
    [
      'a scale, then a mask',
      (graph, value) => additive(graph, graph.binary('mul', value, graph.scalar(2))),
      ['scale', 'add'],
      ['additive'],
      2,
    ],
    [
      'a bias for each head',
      (graph, value) => graph.binary('add', value, graph.constant([1, 2], [2, 1, 1])),
      ['add'],
      ['per-head bias'],
      1,
    ],
    [
      'one bias for all heads',
      (graph, value) => graph.binary('add', value, graph.constant([1], [1, 1, 1])),
      ['add'],
      ['additive'],
      1,
    ],
    [
      'a boolean mask',
      (graph, value) => graph.op({ kind: 'where' }, truth(graph), value, graph.scalar(-1e9)),
      ['mask'],
      ['boolean'],
      1,
    ],
    [
      'a boolean mask the other way round',
      (graph, value) => graph.op({ kind: 'where' }, truth(graph), graph.scalar(-1e9), value),
      ['mask'],
      ['boolean'],
      1,
    ],
    [
      'a multiplied mask',
      (graph, value) => {
        const mask = graph.op({ kind: 'cast', to: 'float' }, truth(graph));
        return graph.binary('mul', value, mask);
      },
      ['multiply'],
      ['boolean'],
      1,
    ],
    [
      'a scale for each head',
      (graph, value) => graph.binary('mul', value, graph.constant([1, 2], [2, 1, 1])),
      ['multiply'],
      ['per-head scale'],
      1,
    ],
    [
      'a clamp',
      (graph, value) => graph.binary('max', additive(graph, value), graph.scalar(-1e30)),
      ['add', 'clamp'],
      ['additive'],
      1,
    ],
    ['a cast', (graph, value) => graph.op({ kind: 'cast', to: 'float' }, value), ['cast'], ['none'], 1],
    [
      'a mask and a bias for each head',
      (graph, value) => graph.binary('add', additive(graph, value), graph.constant([1, 2], [2, 1, 1])),
      ['add', 'add'],
      ['additive', 'per-head bias'],
      1,
    ],
  ])('reads %s', (_, change, kinds, mask, scale) => {
    const { found, skipped } = findAttention(attention(change).view());
    expect(skipped).toEqual([]);
    expect(found[0]?.site).toMatchObject({ numHeads: 2, headDim: 3, mask, scale });
    expect(steps(found[0]?.block.chain.before ?? [])).toEqual(kinds);
    expect(found[0]?.block.sameForAllHeads).toBe(!mask.some((kind) => kind.startsWith('per-head')));
  });

  it.each<[string, Change, string[]]>([
    ['a guard against rows without keys', guard, ['guard']],
    ['a cast', (graph, value) => graph.op({ kind: 'cast', to: 'float' }, value), ['cast']],
    [
      'a mask after the softmax',
      (graph, value) => graph.op({ kind: 'where' }, truth(graph), graph.scalar(0), value),
      ['mask'],
    ],
    ['a dropout that does nothing', (graph, value) => graph.op({ kind: 'identity' }, value), ['layout']],
  ])('reads %s on the probabilities', (_, change, kinds) => {
    const { found, skipped } = findAttention(attention(undefined, change).view());
    expect(skipped).toEqual([]);
    expect(steps(found[0]?.block.chain.after ?? [])).toEqual(kinds);
    expect(found[0]?.site.readOutside).toEqual([]);
  });

  it.each<[string, Change, string]>([
    [
      'a mask copied for every head',
      (graph, value) => {
        const mask = graph.op(
          { kind: 'expand' },
          graph.input('mask', ['batch', 1, 1, 'length']),
          graph.list(1, 2, 1, 1),
        );
        return graph.binary('add', value, mask);
      },
      'additive',
    ],
    [
      'a mask made of what was copied for every head',
      (graph, value) => {
        const copied = graph.op({ kind: 'expand' }, truth(graph), graph.list(1, 2, 1, 1));
        const mask = graph.op(
          { kind: 'where' },
          graph.op({ kind: 'unary', name: 'not' }, copied),
          graph.scalar(-1e9),
          graph.scalar(0),
        );
        return graph.binary('add', value, mask);
      },
      'additive',
    ],
    [
      'a constant that is the same for every head',
      (graph, value) => graph.binary('add', value, graph.constant([1, 1], [2, 1, 1])),
      'additive',
    ],
    [
      'a condition copied for every head',
      (graph, value) => {
        const copied = graph.op({ kind: 'expand' }, truth(graph), graph.list(1, 2, 1, 1));
        return graph.op({ kind: 'where' }, copied, value, graph.scalar(-1e9));
      },
      'boolean',
    ],
    [
      'a bias fed for each head',
      (graph, value) => graph.binary('add', value, graph.input('bias', [2, 'length', 'length'])),
      'per-head bias',
    ],
    [
      'a bias looked up for each head',
      (graph, value) => {
        const table = graph.constant([1, 2, 3, 4, 5, 6], [3, 2]);
        const rows = graph.op({ kind: 'gather', axis: 0 }, table, graph.input('ids', ['length', 'length'], 'integer'));
        return graph.binary('add', value, graph.transpose(rows, 2, 0, 1));
      },
      'per-head bias',
    ],
  ])('tells %s', (_, change, kind) => {
    const [{ site, block }] = findAttention(attention(change).view()).found as [
      ReturnType<typeof findAttention>['found'][0],
    ];
    expect(site.mask).toEqual([kind]);
    expect(site.position).toBe(kind === 'per-head bias' ? 'relative bias' : 'none');
    // It has an axis of heads all the same.
    expect(block.sameForAllHeads).toBe(false);
  });

  it('says what of the scores and probabilities others read', () => {
    const read = (onScores: Change, onProbabilities: Change) =>
      findAttention(attention(onScores, onProbabilities).view()).found[0]?.site.readOutside;
    const output: Change = (graph, value) => {
      graph.outputs.push(value);
      return value;
    };
    const reader: Change = (graph, value) => {
      graph.outputs.push(graph.op({ kind: 'reduce', name: 'mean', keepDims: false }, value));
      return value;
    };
    const none: Change = (_, value) => value;
    const sizeReader: Change = (graph, value) => {
      graph.outputs.push(graph.op({ kind: 'shape', start: 0, end: null }, value));
      return value;
    };
    expect(read(none, none)).toEqual([]);
    expect(read(output, none)).toEqual(['scores']);
    expect(read(none, output)).toEqual(['probabilities']);
    expect(read(reader, reader)).toEqual(['scores', 'probabilities']);
    // A size is no score, but it holds the number of heads.
    expect(read(sizeReader, sizeReader)).toEqual([]);
    for (const change of [none, sizeReader]) {
      const [entry] = findAttention(attention(change, none).view()).found;
      expect(entry?.block.sizeRead).toBe(change === sizeReader);
    }
  });

  it.each<[string, Change, Change, RegExp]>([
    [
      'two products added',
      (graph, value) => {
        const [q, r] = [graph.input('q', ['batch', 2, 'length', 3]), graph.input('r', ['batch', 2, 3, 'length'])];
        return graph.binary('add', value, graph.matmul(q, r));
      },
      guard,
      /sum of several products/,
    ],
    [
      'an activation',
      (graph, value) => graph.op({ kind: 'unary', name: 'Sin' }, value),
      guard,
      /its input is no product of queries and keys/,
    ],
    [
      'scores divided into a number',
      (graph, value) => graph.binary('div', graph.scalar(1), value),
      guard,
      /its input is no product/,
    ],
    [
      'a temperature that is fed',
      (graph, value) => graph.binary('div', value, graph.input('t', [])),
      guard,
      /its input is no product/,
    ],
    [
      'probabilities used twice',
      (_, value) => value,
      (graph, value) => {
        graph.outputs.push(graph.matmul(value, graph.input('other', ['batch', 2, 'length', 3])));
        return value;
      },
      /enter several products/,
    ],
    [
      'probabilities that are scaled',
      (_, value) => value,
      (graph, value) => graph.binary('mul', value, graph.input('gate', [])),
      /nothing is weighted by it/,
    ],
    [
      'probabilities that are filled up',
      (_, value) => value,
      (graph, value) => graph.op({ kind: 'where' }, truth(graph), graph.scalar(0.1), value),
      /nothing is weighted by it/,
    ],
  ])('refuses %s', (_, onScores, onProbabilities, reason) => {
    const { found, skipped } = findAttention(attention(onScores, onProbabilities).view());
    expect(found).toEqual([]);
    expect(skipped).toHaveLength(1);
    expect(skipped[0]?.reason).toMatch(reason);
  });

  it('refuses a softmax over other axes than the keys', () => {
    const over = (axis: number, flattened: boolean) => {
      const graph = attention();
      const softmax = graph.nodes.findIndex(({ operator }) => operator.kind === 'softmax');
      graph.nodes[softmax] = {
        ...(graph.nodes[softmax] as (typeof graph.nodes)[0]),
        operator: { kind: 'softmax', axis, flattened },
      };
      return findAttention(graph.view()).skipped[0]?.reason;
    };
    expect(over(1, false)).toMatch(/does not run over the tokens/);
    expect(over(-2, false)).toMatch(/not summed over the keys/);
    expect(over(2, true)).toMatch(/runs over several axes at once/);
    expect(over(7, false)).toMatch(/has no axis 7/);
    expect(over(3, true)).toBeUndefined();
  });
});
