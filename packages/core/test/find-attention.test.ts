// Blocks written in many ways: the weights that the finder reads, put into the definition of attention, give what the
// graph gives.
import { type AttentionSite, findAttention } from '@mhe/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { probesOf } from '../src/find/probe.js';
import { referenceAttention, relativeError, type Score } from './attention-reference.js';
import { blockFeeds, blockGraph, type Style, streamOfRole, styles, totalScale, widths } from './find-blocks.js';
import { ViewGraph } from './find-graph.js';
import { interpret, type Value } from './find-interpreter.js';

const sizes = { batch: 2, length: 4, keys: 3 };

/** A stream of a style as `[batch, length, channel]`. */
function canonical({ dims, data }: Value, streams: Style['streams']) {
  const [a, b, c] = dims as [number, number, number];
  const [batch, length, width] = {
    'batch first': [a, b, c],
    flattened: [a, b, c],
    'length first': [b, a, c],
    'channels first': [a, c, b],
  }[streams] as [number, number, number];
  const place = (n: number, l: number, w: number) =>
    streams === 'length first'
      ? (l * b + n) * c + w
      : streams === 'channels first'
        ? (n * b + w) * c + l
        : (n * b + l) * c + w;
  const out = new Float64Array(batch * length * width);
  for (let n = 0; n < batch; n++)
    for (let l = 0; l < length; l++)
      for (let w = 0; w < width; w++) out[(n * length + l) * width + w] = data[place(n, l, w)] as number;
  return { dims: [batch, length, width], data: out };
}

/** What the style's mask does to a scaled score. */
function scoreOf(style: Style, mask: Value | undefined, scale: number): Score {
  const keys = style.kind === 'self' ? sizes.length : sizes.keys;
  return (product, batch, head, _query, key) => {
    const entry = mask?.data[(style.mask === 'per-head bias' ? head : batch) * keys + key];
    if (style.mask === 'none') return product * scale;
    return style.mask === 'boolean' ? (entry ? product * scale : -1e30) : product * scale + (entry as number);
  };
}

/** What a site should be for a style. */
function expectedSite(style: Style): Partial<AttentionSite> {
  const of = streamOfRole(style);
  const onScores = style.scale === 'product' || style.scale === 'divisor' || style.scale === 'from the size';
  return {
    index: 0,
    kind: style.kind === 'self' ? 'self' : 'cross',
    numHeads: style.numHeads,
    headDim: style.headDim,
    valueHeadDim: style.valueHeadDim,
    dims: { query: widths[of.query], key: widths[of.key], value: widths[of.value], output: widths.output },
    scale: expect.closeTo(onScores || style.scale !== 'none' ? totalScale(style) : 1, 12) as unknown as number,
    mask: [style.mask === 'per-head bias' && style.numHeads === 1 ? 'additive' : style.mask],
    position: style.mask === 'per-head bias' && style.numHeads > 1 ? 'relative bias' : 'none',
    readOutside: [],
  };
}

describe('findAttention', () => {
  it('reads the weights of every style', () => {
    fc.assert(
      fc.property(styles, (style) => {
        const graph = blockGraph(style);
        const view = graph.view();
        const { found, skipped } = findAttention(view);
        expect(skipped).toEqual([]);
        const [{ site, block }] = found as [(typeof found)[0]];
        expect(site).toMatchObject(expectedSite(style));

        const feeds = blockFeeds(graph, style, sizes);
        const made = interpret(view, feeds).get(view.outputs[0] as string) as Value;
        const weights = block.weights();
        const of = streamOfRole(style);
        const stream = (role: 'query' | 'key' | 'value') => canonical(feeds[of[role]] as Value, style.streams);
        const streams = { query: stream('query'), key: stream('key'), value: stream('value') };
        const expected = referenceAttention(weights, streams, scoreOf(style, feeds.mask, weights.scale));
        const actual = { dims: expected.dims, data: Float64Array.from(made.data) };
        expect(actual.data.length).toBe(expected.data.length);
        expect(relativeError(actual, expected)).toBeLessThan(1e-11);
      }),
      { numRuns: 250, seed: 1 },
    );
  });

  it('tells batch from sequence in every stream', () => {
    fc.assert(
      fc.property(styles, (style) => {
        const [{ block }] = findAttention(blockGraph(style).view()).found as [
          ReturnType<typeof findAttention>['found'][0],
        ];
        const axes = {
          'batch first': ['batch', 'sequence', 'channel'],
          flattened: ['batch', 'sequence', 'channel'],
          'length first': ['sequence', 'batch', 'channel'],
          'channels first': ['batch', 'channel', 'sequence'],
        }[style.streams];
        const of = streamOfRole(style);
        for (const role of ['query', 'key', 'value'] as const) {
          // What only flattened a stream is not what the block reads.
          expect(block[role].stream).toEqual({ value: of[role], axes, channels: widths[of[role]] });
        }
        const apart = style.heads === 'own axis' && style.numHeads > 1;
        expect(block.axes?.merged === null).toBe(apart);
      }),
      { numRuns: 60, seed: 2 },
    );
  });

  it('agrees with the number of heads that it is told, and says so where it cannot', () => {
    const [style] = fc.sample(styles, { numRuns: 1, seed: 4 }) as [Style];
    const view = blockGraph({ ...style, numHeads: 3, headDim: 4 }).view();
    expect(findAttention(view, { numHeads: 3 }).found).toHaveLength(1);
    expect(() => findAttention(view, { numHeads: 4 })).toThrow(RangeError);
    expect(() => findAttention(view, { numHeads: 1.5 })).toThrow(/1.5 is no number of heads; give a whole number/);
    expect(() => findAttention(view, { numHeads: 4 })).toThrow(
      /numHeads: the graph gives softmax\d+ 3 heads of 4, not 4; leave the option out/,
    );
  });

  it('takes the number of heads where the graph has it from an input', () => {
    const graph = new ViewGraph();
    const x = graph.input('x', ['batch', 'length', 12]);
    const numHeads = graph.input('num_heads', [1], 'integer');
    const weight = (seed: number) =>
      graph.constant(
        Float64Array.from({ length: 144 }, (_, i) => Math.sin(i + seed)),
        [12, 12],
      );
    const target = graph.op({ kind: 'concat', axis: 0 }, graph.list(0, 0), numHeads, graph.list(-1));
    const heads = (seed: number) =>
      graph.transpose(
        graph.op({ kind: 'reshape', zeroIsSize: false }, graph.matmul(x, weight(seed)), target),
        0,
        2,
        1,
        3,
      );
    const scores = graph.matmul(heads(1), graph.transpose(heads(2), 0, 1, 3, 2));
    const context = graph.transpose(graph.matmul(graph.softmax(scores), heads(3)), 0, 2, 1, 3);
    graph.outputs.push(graph.matmul(graph.reshape(context, 0, 0, 12), weight(4)));

    const untold = findAttention(graph.view());
    expect(untold.found).toEqual([]);
    expect(untold.skipped[0]?.reason).toMatch(/cannot be told from the graph/);
    for (const count of [1, 3, 4]) {
      const { found } = findAttention(graph.view(), { numHeads: count });
      expect(found[0]?.site).toMatchObject({ numHeads: count, headDim: 12 / count });
    }
    expect(findAttention(graph.view(), { numHeads: 4 }).notices).toEqual([]);
    const wrong = findAttention(graph.view(), { numHeads: 5 });
    expect(wrong.found).toEqual([]);
    expect(wrong.notices).toEqual(['5 heads, taken for num_heads, showed no attention']);
  });

  it('gives a number of heads to no other whole number, and says where it had no effect', () => {
    const graph = new ViewGraph();
    const token = graph.input('token', [1], 'integer');
    const step = graph.input('step', [], 'integer');
    const table = graph.constant(new Float64Array(12), [4, 3]);
    graph.outputs.push(graph.op({ kind: 'gather', axis: 0 }, table, token), graph.binary('add', step, step));
    for (const [probe] of probesOf(graph.view(), 3)) expect(probe.inputNumbers).toEqual(new Map());
    expect(findAttention(graph.view(), { numHeads: 3 }).notices).toEqual([
      'the number of heads that was given had no effect: no input of the graph takes a head count',
    ]);
    const [style] = fc.sample(styles, { numRuns: 1, seed: 4 }) as [Style];
    const told = blockGraph({ ...style, numHeads: 3, headDim: 4 }).view();
    expect(findAttention(told).notices).toEqual([]);
    expect(findAttention(told, { numHeads: 3 }).notices).toEqual([
      'the number of heads that was given had no effect: the graph tells its heads, and they agree',
    ]);
  });
});
