import { create, toBinary } from '@bufbuild/protobuf';
import { BFLOAT16, FLOAT16, fromSmallFloat, type SmallFloatFormat, toSmallFloat } from '@mhe/core';
import { ModelProtoSchema, TensorProto_DataType } from 'onnx-buf';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';

const everyPattern = Uint16Array.from({ length: 65536 }, (_, bits) => bits);

/** A float32 with the given upper half: what bfloat16 is by definition. */
function upperHalf(bits: number): number {
  const view = new DataView(new ArrayBuffer(4));
  view.setUint16(0, bits);
  return view.getFloat32(0);
}

async function castByOnnxRuntime(x: Tensor, to: TensorProto_DataType): Promise<Tensor> {
  const value = (name: string, elemType: number) => ({
    name,
    type: { value: { case: 'tensorType' as const, value: { elemType } } },
  });
  const from = x.type === 'float16' ? TensorProto_DataType.FLOAT16 : TensorProto_DataType.FLOAT;
  const model = create(ModelProtoSchema, {
    irVersion: 8n,
    opsetImport: [{ version: 17n }],
    graph: {
      name: 'cast',
      input: [value('x', from)],
      output: [value('y', to)],
      node: [{ opType: 'Cast', input: ['x'], output: ['y'], attribute: [{ name: 'to', type: 2, i: BigInt(to) }] }],
    },
  });
  const session = await InferenceSession.create(toBinary(ModelProtoSchema, model));
  return (await session.run({ x })).y as Tensor;
}

test('every float16 pattern means what ONNX Runtime makes of it', async () => {
  const cast = await castByOnnxRuntime(new Tensor('float16', everyPattern, [65536]), TensorProto_DataType.FLOAT);
  expect(Array.from(everyPattern, (bits) => fromSmallFloat(bits, FLOAT16))).toEqual(
    Array.from(cast.data as Float32Array),
  );
});

test('every bfloat16 pattern means the float32 of which it is the upper half', () => {
  const wrong = everyPattern.filter((bits) => !Object.is(fromSmallFloat(bits, BFLOAT16), upperHalf(bits)));
  expect(wrong).toEqual(new Uint16Array());
});

test('float32 numbers round to float16 as in ONNX Runtime', async () => {
  // Every exponent from far below the subnormals to far above the largest, with mantissas on and around the ties.
  const numbers = Float32Array.from({ length: 48 * 64 }, (_, i) => {
    const mantissa = 1 + ((i % 64) * 32 + (i % 3) - 1) / 2048;
    return (i % 2 ? -1 : 1) * mantissa * 2 ** (Math.floor(i / 64) - 28);
  });
  const cast = await castByOnnxRuntime(new Tensor('float32', numbers, [numbers.length]), TensorProto_DataType.FLOAT16);
  const { buffer, byteOffset } = cast.data as Uint16Array;
  const bits = new Uint16Array(buffer, byteOffset, numbers.length);
  expect(Array.from(numbers, (number) => toSmallFloat(number, FLOAT16))).toEqual(Array.from(bits));
});

describe.each([
  ['float16', FLOAT16],
  ['bfloat16', BFLOAT16],
] as [string, SmallFloatFormat][])('%s', (_, format) => {
  const infinity = (2 ** format.exponentBits - 1) << format.mantissaBits;
  const positive = everyPattern.slice(0, infinity);

  test('gives back every pattern that is a number, and the quiet NaN', () => {
    const wrong = [...positive, infinity].filter((bits) => {
      const number = fromSmallFloat(bits, format);
      return toSmallFloat(number, format) !== bits || toSmallFloat(-number, format) !== (bits | 0x8000);
    });
    expect(wrong).toEqual([]);
    expect(fromSmallFloat(toSmallFloat(Number.NaN, format), format)).toBeNaN();
  });

  test('rounds what is between two neighbours to the nearer one, and the middle to the even one', () => {
    const wrong = [...positive.slice(0, -1)].filter((bits) => {
      const [low, high] = [fromSmallFloat(bits, format), fromSmallFloat(bits + 1, format)];
      const middle = (low + high) / 2;
      const even = bits % 2 === 0 ? bits : bits + 1;
      const rounded = [middle * (1 - 2 ** -50), middle, middle * (1 + 2 ** -50)].map((x) => toSmallFloat(x, format));
      return rounded.join() !== [bits, even, bits + 1].join();
    });
    expect(wrong).toEqual([]);
  });

  test('turns what is too large into infinity, from half a step above the largest number on', () => {
    const largest = fromSmallFloat(infinity - 1, format);
    const step = largest - fromSmallFloat(infinity - 2, format);
    expect(toSmallFloat(largest + step * 0.49, format)).toBe(infinity - 1);
    expect(toSmallFloat(largest + step * 0.5, format)).toBe(infinity);
    expect(toSmallFloat(-Number.MAX_VALUE, format)).toBe(infinity | 0x8000);
    expect(toSmallFloat(Number.NEGATIVE_INFINITY, format)).toBe(infinity | 0x8000);
  });
});
