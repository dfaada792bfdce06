import { TensorProto_DataType } from 'onnx-buf';
import { describe, expect, it } from 'vitest';
import { checkFeed, type Feed } from '../src/run/check-feed.js';
import { modelInputs } from '../src/run/model-inputs.js';
import { floats, graph, model, value } from './graph-builder.js';

const type = TensorProto_DataType;
const inputs = modelInputs(
  model(
    graph({
      input: [
        value('ids', type.INT64, ['batch', 'length']),
        value('x', type.FLOAT, ['batch', 2]),
        value('w', type.FLOAT, [1]),
      ],
      initializer: [floats('w', [1], [1])],
    }),
  ),
);
const check = (feed: Feed) => checkFeed(inputs, feed, 'feeds.jsonl, line 3');
const only = (elemType: TensorProto_DataType, given: Feed[string], dims: readonly (number | string)[] = ['n']) =>
  checkFeed(modelInputs(model(graph({ input: [value('x', elemType, dims)] }))), { x: given }, 'feed 1').x;

describe('checkFeed', () => {
  it('converts nested numbers to the element types of the inputs', () => {
    const feed = check({
      ids: [
        [1, 2],
        [3, 4],
      ],
      x: [
        [0.5, -1],
        [0.1, 0],
      ],
    });
    expect(feed).toEqual({
      ids: { dtype: 'int64', dims: [2, 2], data: BigInt64Array.of(1n, 2n, 3n, 4n) },
      x: { dtype: 'float32', dims: [2, 2], data: Float32Array.of(0.5, -1, 0.1, 0) },
    });
  });

  it('takes typed arrays, nested or with their dimensions, and copies them', () => {
    const data = Float32Array.of(1, 2);
    const { ids, x } = check({ ids: [Int32Array.of(7, 8)], x: { data, dims: [1, 2] } });
    data.fill(9);
    expect(ids?.data).toEqual(BigInt64Array.of(7n, 8n));
    expect(x?.data).toEqual(Float32Array.of(1, 2));
  });

  it('takes the bits of float16 as the runtime gives them, and numbers as numbers', () => {
    const bits = Uint16Array.of(0x3c00, 0xc000);
    const given = only(type.FLOAT16, { data: bits, dims: [2] });
    bits.fill(0);
    expect(given?.data).toEqual(Uint16Array.of(0x3c00, 0xc000));
    expect(only(type.FLOAT16, { data: [1, -2], dims: [2] })?.data).toEqual(given?.data);
    expect(only(type.FLOAT16, [1, -2])?.data).toEqual(given?.data);
  });

  it('keeps integers exact to the ends of their range', () => {
    expect(only(type.INT64, [2n ** 63n - 1n, -(2n ** 63n)])?.data).toEqual(
      BigInt64Array.of(2n ** 63n - 1n, -(2n ** 63n)),
    );
    expect(only(type.UINT64, BigUint64Array.of(2n ** 64n - 1n))?.data).toEqual(BigUint64Array.of(2n ** 64n - 1n));
    expect(only(type.UINT8, [0, 255, true])?.data).toEqual(Uint8Array.of(0, 255, 1));
    expect(only(type.BOOL, [true, 0, 1])?.data).toEqual(Uint8Array.of(1, 0, 1));
  });

  it('rounds floats to their type, infinity and not-a-number included, and takes scalars and strings', () => {
    expect(only(type.FLOAT16, [1, Number.NEGATIVE_INFINITY, Number.NaN])?.data).toEqual(
      Uint16Array.of(0x3c00, 0xfc00, 0x7e00),
    );
    expect(only(type.DOUBLE, 0.1, [])).toEqual({ dtype: 'float64', dims: [], data: Float64Array.of(0.1) });
    expect(only(type.STRING, ['a', 'b'])).toEqual({ dtype: 'string', dims: [2], data: ['a', 'b'] });
  });

  const ids = [[1, 2]];
  const x = [[0, 0]];
  it.each<[string, Feed, string]>([
    ['a missing input', { ids }, `input "x" is missing; the model's inputs are ids, x.`],
    ['an unknown input', { ids, x, w: [1] }, `the model has no input "w"; the model's inputs are ids, x.`],
    ['ragged lists', { ids: [[1, 2], [3]], x }, 'input "ids" is ragged: lists of 2 and of 1 stand side by side.'],
    [
      'a value for a list',
      { ids: [[1, 2], 3], x },
      'input "ids" is ragged: a value stands where a list of 2 is expected.',
    ],
    ['a list for a value', { ids: [[1, [2]]], x }, 'input "ids" is ragged: a list stands where a value is expected.'],
    ['empty lists', { ids: [[]], x }, 'input "ids" of [1, 0] is empty.'],
    ['too few axes', { ids: [1, 2], x }, 'input "ids" has the dimensions [2], but the model declares [batch, length].'],
    [
      'a wrong fixed size',
      { ids, x: [[0, 0, 0]] },
      'input "x" has the dimensions [1, 3], but the model declares [batch, 2].',
    ],
    ['fractions', { ids: [[1.5]], x }, 'input "ids" is of int64, but holds 1.5, not a whole number.'],
    [
      'inexact integers',
      { ids: [[2 ** 53]], x },
      'holds 9007199254740992, which is too large to be exact: give it as a bigint.',
    ],
    [
      'integers out of range',
      { ids: [[2n ** 63n]], x },
      'is of int64, from -9223372036854775808 to 9223372036854775807',
    ],
    ['text', { ids: [['a']], x }, 'input "ids" is of int64, but holds the text "a".'],
    [
      'fewer values than dimensions say',
      { ids: { data: [1], dims: [1, 2] }, x },
      'of [1, 2] takes 2 values, but has 1.',
    ],
    ['negative dimensions', { ids: { data: [1], dims: [-1, -1] }, x }, 'input "ids" has the dimensions [-1, -1].'],
  ])('refuses %s, naming the place and the input', (_, feed, message) => {
    expect(() => check(feed)).toThrow(message);
    expect(() => check(feed)).toThrow(/^feeds\.jsonl, line 3: /);
  });

  it('refuses what JSON can hold but no tensor', () => {
    const parsed: Feed = JSON.parse('{"ids": [[null]], "x": [[0, 0]]}');
    expect(() => check(parsed)).toThrow('input "ids" holds null for a value.');
    expect(() => check(JSON.parse('{"ids": null, "x": [[0, 0]]}'))).toThrow('input "ids" holds null for a value.');
    const deep = JSON.parse(`{"ids": ${'['.repeat(9000)}1${']'.repeat(9000)}, "x": [[0, 0]]}`);
    expect(() => check(deep)).toThrow('input "ids" is nested more than 16 deep.');
  });
});
