import { type GraphProto, TensorProto_DataType } from 'onnx-buf';
import { describe, expect, it } from 'vitest';
import { type HostTensor, hostNumbers } from '../src/run/host-tensor.js';
import { withSession } from '../src/run/session.js';
import { syntheticFeeds } from '../src/run/synthetic-feeds.js';
import { fixtureModel, fixtureNames, mergedNames } from './fixture.js';
import { floats, graph, integers, model, node, value } from './graph-builder.js';
import { runtimes } from './run-runtimes.js';

/**
 * One fuses the table away that tells the range of its tokens, one has the batch of its example in the graph, some merge
 * the heads, whose number no size tells, with the batch of a cache, some have the tables in the branches of an If.
 */
const odd = [
  'decoy-fused-script14',
  'decoy-latents-script14',
  'decoy-merged-caches-dynamo18',
  'decoy-merged-caches-script13',
  ...mergedNames,
];
const fixtures = fixtureNames.filter((name) => !odd.includes(name));

describe('syntheticFeeds', () => {
  const runtime = runtimes[0]?.[1];
  if (runtime === undefined) throw new Error('no runtime');

  it.each(fixtures)('makes up what %s runs on, to finite numbers', async (file) => {
    const model = await fixtureModel(file);
    // Some exports have the length of their example in the graph, which was 6.
    const { feeds } = syntheticFeeds(model, { sequences: 2, length: 6, seed: 3 });
    expect(feeds).toHaveLength(2);
    await withSession(model, { runtime, threads: 1 }, async (session) => {
      for (const feed of feeds) {
        for (const output of Object.values(await session.run(feed))) {
          expect(hostNumbers(output).every(Number.isFinite)).toBe(true);
        }
      }
    });
  });

  const type = TensorProto_DataType;
  const made = (parts: GraphProto, length = 5) => {
    const { feeds, inputs } = syntheticFeeds(model(parts), { sequences: 3, length });
    return { feeds, inputs: Object.fromEntries(inputs.map(({ name, dims, values }) => [name, { dims, ...values }])) };
  };
  const table = (name: string, rows: number, cols: number) => floats(name, [rows, cols], Array(rows * cols).fill(0.5));

  const encoder = graph({
    node: [
      node('Cast', ['input_ids'], ['cast'], { to: 6 }),
      node('Unsqueeze', ['cast', 'axis'], ['wide']),
      node('Cast', ['words16'], ['words32'], { to: 1 }),
      node('Gather', ['words32', 'wide'], ['embedded']),
      node('Gather', ['types', 'token_type_ids'], ['typed']),
      node('Gather', ['places', 'position_ids'], ['placed'], { axis: 1 }),
    ],
    input: [
      value('input_ids', type.INT64, ['batch', 'sequence']),
      value('attention_mask', type.INT64, ['batch', 'sequence']),
      value('token_type_ids', type.INT64, ['batch', 'sequence']),
      value('position_ids', type.INT32, ['', 'sequence']),
      value('bias', type.FLOAT16, ['s0', 4, 'sequence', 'sequence + 1']),
      value('types', type.FLOAT, [2, 4]),
    ],
    output: [value('embedded'), value('typed'), value('placed')],
    initializer: [
      table('words16', 7, 4),
      table('types', 2, 4),
      floats('places', [4, 3], Array(12).fill(1)),
      integers('axis', [1], [2]),
    ],
  });

  it('reads the range of token numbers from the table, and gives a named dimension one size', () => {
    expect(made(encoder).inputs).toEqual({
      input_ids: { dims: [1, 5], kind: 'ids', below: 7 },
      attention_mask: { dims: [1, 5], kind: 'ones' },
      token_type_ids: { dims: [1, 5], kind: 'zeros' },
      position_ids: { dims: [1, 5], kind: 'positions', below: 3 },
      bias: { dims: [1, 4, 5, 5], kind: 'normal' },
    });
  });

  it('fills every input as it says, and the same from the same seed', () => {
    const { feeds } = made(encoder, 40);
    const numbers = (name: string) => feeds.flatMap((feed) => [...hostNumbers(feed[name] as HostTensor)]);
    expect(new Set(numbers('input_ids'))).toEqual(new Set([0, 1, 2, 3, 4, 5, 6]));
    expect(new Set(numbers('attention_mask'))).toEqual(new Set([1]));
    expect(numbers('position_ids').slice(0, 5)).toEqual([0, 1, 2, 0, 1]);
    const normal = numbers('bias');
    const mean = normal.reduce((sum, item) => sum + item, 0) / normal.length;
    const variance = normal.reduce((sum, item) => sum + item * item, 0) / normal.length;
    expect(Math.abs(mean)).toBeLessThan(0.05);
    expect(Math.abs(variance - 1)).toBeLessThan(0.05);
    expect(made(encoder, 40).feeds).toEqual(feeds);
    expect(syntheticFeeds(model(encoder), { seed: 1, sequences: 3, length: 40 }).feeds).not.toEqual(feeds);
  });

  it('takes the shape of images from the convolution and the position embeddings', () => {
    const weight = floats('kernel', [2, 1, 4, 4], Array(32).fill(0.1));
    const patches = node('Conv', ['image'], ['patches'], { strides: [4, 4] });
    patches.input.push('kernel');
    const plain = graph({
      node: [patches],
      input: [value('image', type.FLOAT, ['b', 'c', 'height', 'width'])],
      output: [value('patches')],
      initializer: [weight],
    });
    expect(made(plain).inputs).toEqual({ image: { dims: [1, 1, 224, 224], kind: 'normal' } });
    const placed = graph({
      node: [
        patches,
        node('Reshape', ['patches', 'flat'], ['rows']),
        node('Transpose', ['rows'], ['tokens'], { perm: [0, 2, 1] }),
        node('Concat', ['class', 'tokens'], ['all'], { axis: 1 }),
        node('Add', ['all', 'places'], ['y']),
      ],
      input: [value('image', type.FLOAT, ['b', 'c', 'height', 'width'])],
      output: [value('y')],
      initializer: [
        weight,
        integers('flat', [3], [0, 2, -1]),
        floats('class', [1, 1, 2], [1, 1]),
        floats('places', [1, 26, 2], Array(52).fill(1)),
      ],
    });
    expect(made(placed).inputs).toEqual({ image: { dims: [1, 1, 20, 20], kind: 'normal' } });
    const photo = graph({ input: [value('photo', type.UINT8, ['', 48, '', 3])] });
    expect(made(photo).inputs).toEqual({ photo: { dims: [1, 48, 224, 3], kind: 'pixels' } });
  });

  it.each([
    ['excludes', ['low', 'zero'], 0],
    ['keeps', ['zero', 'low'], 1],
  ])('gives a boolean mask of which true %s what keeps all positions', (_, branches, kept) => {
    const masked = (through: string) =>
      graph({
        node: [
          ...(through === 'padding' ? [] : [node('Not', ['padding'], [through])]),
          node('Where', [through, ...branches], ['y']),
        ],
        input: [value('padding', type.BOOL, ['batch', 'length'])],
        output: [value('y')],
        initializer: [floats('low', [], [-10000]), floats('zero', [], [0])],
      });
    const first = (through: string) => hostNumbers(made(masked(through)).feeds[0]?.padding as HostTensor)[0];
    expect(first('padding')).toBe(kept);
    expect(first('negated')).toBe(1 - kept);
  });

  it.each([
    ['an empty dimension', [value('x', type.FLOAT, [1, 0])], 'Input "x" of [1, 0] would be empty'],
    ['an enormous one', [value('x', type.FLOAT, [1, 2 ** 40])], 'is too large to make up'],
    ['unknown axes', [value('x', type.FLOAT)], 'Input "x" declares no dimensions'],
    ['strings', [value('x', type.STRING, [1])], 'Input "x" is of strings'],
    ['tokens of unknown range', [value('input_ids', type.INT64, [1, 4])], 'Input "input_ids" looks like token numbers'],
    ['types without a host', [value('x', type.BFLOAT16, [1])], 'Input "x" of test.onnx is of bfloat16'],
    ['no tensor', [value('x')], 'Input "x" of test.onnx is not declared as a tensor'],
  ])('refuses %s', (_, input, message) => {
    expect(() => syntheticFeeds(model(graph({ input })))).toThrow(message);
  });

  it('refuses a length or number that makes no sense', () => {
    expect(() => syntheticFeeds(model(encoder), { length: 0 })).toThrow('length must be a whole number from 1, not 0.');
    expect(() => syntheticFeeds(model(encoder), { sequences: 1.5 })).toThrow('sequences must be a whole number from 1');
  });
});
