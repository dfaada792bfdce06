import { create, type MessageInitShape } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { type TensorProto, TensorProto_DataLocation, TensorProto_DataType, TensorProtoSchema } from 'onnx-buf';
import { describe, expect, test } from 'vitest';
import { bytesSource } from '../src/file/byte-source.js';
import { OnnxFileError } from '../src/file/onnx-file-error.js';
import { edit } from '../src/graph/edit.js';
import { decodeFloat } from '../src/tensor/decode-float.js';
import { decodeBool, decodeInt, decodeIntAsNumbers } from '../src/tensor/decode-int.js';
import {
  bitsPerElement,
  type Dtype,
  dataTypeOf,
  dtypeFromNumber,
  type FloatDtype,
  type IntegerDtype,
  rawByteLength,
} from '../src/tensor/dtype.js';
import { encodeTensor } from '../src/tensor/encode-tensor.js';
import { elementCount, tensorDims } from '../src/tensor/tensor-dims.js';

const model = {
  name: 'some.onnx',
  externalData: new Map([['w.bin', bytesSource(new Uint8Array(64).fill(0x3f), 'w.bin')]]),
};
const { FLOAT, FLOAT16, BFLOAT16, DOUBLE, INT64, INT32, UINT64, UINT8, INT8, BOOL, STRING, INT4 } =
  TensorProto_DataType;

const tensor = (fields: MessageInitShape<typeof TensorProtoSchema>): TensorProto =>
  create(TensorProtoSchema, { name: 'w', ...fields });

/** The same tensor, its raw data a view that begins at an odd byte, as parsing gives them. */
function unaligned(aligned: TensorProto): TensorProto {
  const buffer = new Uint8Array(aligned.rawData.byteLength + 4);
  buffer.set(aligned.rawData, 3);
  return edit(aligned, { rawData: buffer.subarray(3, 3 + aligned.rawData.byteLength) });
}

describe('types', () => {
  test('every number that ONNX defines has a name, and the name leads back', () => {
    const numbers = Object.values(TensorProto_DataType).filter((value) => typeof value === 'number' && value !== 0);
    expect(numbers.length).toBeGreaterThan(20);
    for (const number of numbers as number[]) expect(dataTypeOf(dtypeFromNumber(number) as Dtype)).toBe(number);
    expect(dtypeFromNumber(0)).toBeUndefined();
    expect(dtypeFromNumber(99)).toBeUndefined();
  });

  test('small elements share bytes, the last one filled up', () => {
    expect(rawByteLength('int4', 3)).toBe(2);
    expect(rawByteLength('uint2', 5)).toBe(2);
    expect(rawByteLength('complex128', 2)).toBe(32);
    expect(rawByteLength('string', 2)).toBeNull();
    expect(bitsPerElement('float8e8m0')).toBe(8);
  });
});

describe('what is encoded is decoded', () => {
  const holds: Record<FloatDtype, (x: number) => number> = {
    float64: (x) => x,
    float32: Math.fround,
    float16: (x) => Math.round(x),
    bfloat16: (x) => Math.sign(x) * 2 ** Math.round(Math.log2(Math.abs(x) + 1)),
  };
  test.each(Object.keys(holds) as FloatDtype[])('%s', (dtype) => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: -2000, max: 2000, noNaN: true })), (numbers) => {
        const values = Float64Array.from(numbers, holds[dtype]);
        const encoded = encodeTensor('w', dtype, [values.length], values);
        expect(decodeFloat(unaligned(encoded), model)).toEqual(values);
      }),
      { seed: 1, numRuns: 50 },
    );
  });

  const integers: [IntegerDtype, number][] = [8, 16, 32, 64].flatMap((bits): [IntegerDtype, number][] => [
    [`int${bits}` as IntegerDtype, bits],
    [`uint${bits}` as IntegerDtype, bits],
  ]);
  test.each(integers)('%s, to its limits and no further', (dtype, bits) => {
    const signed = dtype.startsWith('i');
    const top = signed || bits === 64 ? 2n ** BigInt(signed ? bits - 1 : 63) - 1n : 2n ** BigInt(bits) - 1n;
    const bottom = signed ? -(2n ** BigInt(bits - 1)) : 0n;
    const values = BigInt64Array.of(bottom, 0n, 1n, top);
    expect(decodeInt(unaligned(encodeTensor('w', dtype, [2, 2], values)), model)).toEqual(values);
    if (bits === 64) return;
    expect(() => encodeTensor('w', dtype, [1], BigInt64Array.of(top + 1n))).toThrow(RangeError);
    expect(() => encodeTensor('w', dtype, [1], BigInt64Array.of(bottom - 1n))).toThrow(RangeError);
  });

  test('bool, and a scalar', () => {
    expect(decodeBool(encodeTensor('w', 'bool', [3], [true, false, true]), model)).toEqual([true, false, true]);
    expect(decodeInt(encodeTensor('w', 'int64', [], BigInt64Array.of(7n)), model)).toEqual(BigInt64Array.of(7n));
  });

  test('as little-endian bytes', () => {
    expect([...encodeTensor('w', 'int32', [1], BigInt64Array.of(0x01020304n)).rawData]).toEqual([4, 3, 2, 1]);
    expect([...encodeTensor('w', 'float32', [1], Float64Array.of(1)).rawData]).toEqual([0, 0, 0x80, 0x3f]);
    expect([...encodeTensor('w', 'float16', [1], Float64Array.of(1)).rawData]).toEqual([0, 0x3c]);
  });

  test('unless there are more or fewer values than the dimensions say', () => {
    expect(() => encodeTensor('w', 'float32', [2, 2], new Float64Array(3))).toThrow(/\[2, 2\] takes 4 values, not 3/);
  });
});

describe('typed fields', () => {
  test('floats, half floats as their bits, doubles', () => {
    expect([...decodeFloat(tensor({ dims: [2n], dataType: FLOAT, floatData: [1.5, -2] }), model)]).toEqual([1.5, -2]);
    expect([...decodeFloat(tensor({ dims: [2n], dataType: DOUBLE, doubleData: [0.1, 2] }), model)]).toEqual([0.1, 2]);
    const bits = [0x3c00, 0xc000];
    expect([...decodeFloat(tensor({ dims: [2n], dataType: FLOAT16, int32Data: bits }), model)]).toEqual([1, -2]);
    expect([...decodeFloat(tensor({ dims: [1n], dataType: BFLOAT16, int32Data: [0x3f80] }), model)]).toEqual([1]);
  });

  test('integers; 2^63 - 1 exactly', () => {
    const end = 2n ** 63n - 1n;
    expect([...decodeInt(tensor({ dims: [2n], dataType: INT64, int64Data: [end, -1n] }), model)]).toEqual([end, -1n]);
    expect([...decodeInt(tensor({ dims: [1n], dataType: INT8, int32Data: [-3] }), model)]).toEqual([-3n]);
    expect([...decodeInt(tensor({ dims: [2n], dataType: BOOL, int32Data: [0, 5] }), model)]).toEqual([0n, 1n]);
    expect(() => decodeInt(tensor({ dims: [1n], dataType: UINT64, uint64Data: [2n ** 63n] }), model)).toThrow(
      /more than a signed/,
    );
  });

  test('numbers, where they are exact', () => {
    expect(decodeIntAsNumbers(tensor({ dims: [2n], dataType: INT32, int32Data: [-1, 64] }), model)).toEqual([-1, 64]);
    const end = tensor({ dims: [1n], dataType: INT64, int64Data: [2n ** 63n - 1n] });
    expect(() => decodeIntAsNumbers(end, model)).toThrow(
      'some.onnx: tensor "w" holds 9223372036854775807, which has no exact number.',
    );
  });
});

describe('sizes that do not agree are refused before anything is allocated', () => {
  const huge = 2n ** 40n;
  const cases: [string, MessageInitShape<typeof TensorProtoSchema>, RegExp][] = [
    [
      'huge raw',
      { dims: [huge], dataType: FLOAT, rawData: new Uint8Array(8) },
      /declares \[1099511627776\] of float32/,
    ],
    ['huge typed', { dims: [huge], dataType: FLOAT, floatData: [1] }, /1099511627776 values, but holds 1\./],
    ['beyond exact', { dims: [huge, huge], dataType: FLOAT, floatData: [1] }, /1099511627776 x 1099511627776 elements/],
    ['beyond a number', { dims: [2n ** 62n], dataType: FLOAT, floatData: [1] }, /dimension of 4611686018427387904/],
    ['negative', { dims: [-1n], dataType: FLOAT, floatData: [1] }, /dimension of -1/],
    ['too few bytes', { dims: [3n], dataType: FLOAT, rawData: new Uint8Array(11) }, /12 bytes, but holds 11 bytes/],
    ['too many bytes', { dims: [2n], dataType: FLOAT, rawData: new Uint8Array(12) }, /8 bytes, but holds 12 bytes/],
    ['nothing', { dims: [2n], dataType: FLOAT }, /2 values, but holds 0\./],
    ['another type', { dims: [1n], dataType: UINT8, rawData: new Uint8Array(1) }, /is of uint8, not of float numbers/],
    ['no type', { dims: [1n], dataType: 77, rawData: new Uint8Array(1) }, /is of element type 77, not/],
  ];
  test.each(cases)('%s', (_, fields, message) => {
    expect(() => decodeFloat(tensor(fields), model)).toThrow(OnnxFileError);
    expect(() => decodeFloat(tensor(fields), model)).toThrow(message);
  });

  test('strings and 4-bit integers are not numbers to decode', () => {
    expect(() => decodeInt(tensor({ dims: [1n], dataType: STRING }), model)).toThrow(
      /is of string, not of whole numbers/,
    );
    expect(() => decodeInt(tensor({ dims: [2n], dataType: INT4, rawData: new Uint8Array(1) }), model)).toThrow(
      /is of int4/,
    );
  });

  test('a tensor without elements has none, however large its other dimensions', () => {
    const empty = tensor({ dims: [huge, 0n, huge], dataType: FLOAT });
    expect(elementCount(empty, model)).toBe(0);
    expect(tensorDims(empty, model)).toEqual([2 ** 40, 0, 2 ** 40]);
    expect(decodeFloat(empty, model)).toEqual(new Float64Array(0));
  });
});

describe('external data', () => {
  const external = (entries: Record<string, string>, dims = [2n]) =>
    tensor({
      dims,
      dataType: FLOAT,
      dataLocation: TensorProto_DataLocation.EXTERNAL,
      externalData: Object.entries(entries).map(([key, value]) => ({ key, value })),
    });

  test('is read at its place; without a length, as much as is needed', () => {
    const value = new DataView(new Uint8Array(4).fill(0x3f).buffer).getFloat32(0);
    expect([...decodeFloat(external({ location: './w.bin', offset: '56', length: '8' }), model)]).toEqual([
      value,
      value,
    ]);
    expect(decodeFloat(external({ location: 'w.bin' }, [16n]), model)).toHaveLength(16);
    expect(decodeFloat(external({ location: 'w.bin' }), model)).toHaveLength(2);
  });

  const cases: [Record<string, string>, RegExp][] = [
    [{}, /names no file/],
    [{ location: 'w.bin', offset: '57', length: '8' }, /bytes 57 to 65 of "w\.bin", which has 64/],
    [{ location: 'w.bin', offset: '-8', length: '8' }, /no sensible place/],
    [{ location: 'w.bin', offset: '99999999999999999999', length: '8' }, /no sensible place/],
    [{ location: 'w.bin', offset: '9007199254740991' }, /which has 64/],
    [{ location: 'w.bin', offset: '0x8' }, /no sensible place/],
    [{ location: 'w.bin', length: '9' }, /needs 8 bytes for its dimensions, but declares 9/],
    [{ location: 'other.bin' }, /"other\.bin", which was not given/],
    [{ location: '../w.bin' }, /not a path inside the model's folder/],
  ];
  test.each(cases)('%o is refused', (entries, message) => {
    expect(() => decodeFloat(external(entries), model)).toThrow(message);
    expect(() => decodeFloat(external(entries), model)).toThrow(/^some\.onnx: tensor "w"/);
  });
});
