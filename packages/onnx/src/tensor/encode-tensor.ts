import { create } from '@bufbuild/protobuf';
import { BFLOAT16, FLOAT16, toSmallFloat } from '@mhe/core';
import { type TensorProto, TensorProtoSchema } from 'onnx-buf';
import { dataTypeOf, type FloatDtype, type IntegerDtype, rawByteLength } from './dtype.js';

type FloatWriter = (view: DataView, at: number, value: number) => void;

const floatWriters: Record<FloatDtype, FloatWriter> = {
  float64: (view, at, value) => view.setFloat64(at, value, true),
  float32: (view, at, value) => view.setFloat32(at, value, true),
  float16: (view, at, value) => view.setUint16(at, toSmallFloat(value, FLOAT16), true),
  bfloat16: (view, at, value) => view.setUint16(at, toSmallFloat(value, BFLOAT16), true),
};

/**
 * A tensor in raw data.
 *
 * Floats are rounded once, to the nearest with ties to even; what a type cannot hold becomes infinity, as IEEE 754
 * has it. Integers must fit their type.
 *
 * @param name - of the initialiser; `''` for the tensor of a Constant node.
 * @param dtype - element type.
 * @param dims - shape; `[]` for a scalar.
 * @param values - row-major, as many as the dimensions say.
 * @throws RangeError where they are not as many, or an integer does not fit.
 */
export function encodeTensor(
  name: string,
  dtype: FloatDtype,
  dims: readonly number[],
  values: Float64Array,
): TensorProto;
export function encodeTensor(
  name: string,
  dtype: IntegerDtype,
  dims: readonly number[],
  values: BigInt64Array,
): TensorProto;
export function encodeTensor(
  name: string,
  dtype: 'bool',
  dims: readonly number[],
  values: readonly boolean[],
): TensorProto;
export function encodeTensor(
  name: string,
  dtype: FloatDtype | IntegerDtype | 'bool',
  dims: readonly number[],
  values: Float64Array | BigInt64Array | readonly boolean[],
): TensorProto {
  const count = dims.reduce((product, dim) => product * dim, 1);
  if (count !== values.length) {
    throw new RangeError(`Tensor "${name}" of [${dims.join(', ')}] takes ${count} values, not ${values.length}.`);
  }
  const rawData = new Uint8Array(rawByteLength(dtype, count) as number);
  const view = new DataView(rawData.buffer);
  const bytes = count === 0 ? 0 : rawData.byteLength / count;
  if (values instanceof Float64Array) {
    const write = floatWriters[dtype as FloatDtype];
    for (let i = 0; i < count; i++) write(view, i * bytes, values[i] as number);
  } else if (values instanceof BigInt64Array) {
    values.forEach((value, i) => {
      writeInteger(view, i * bytes, bytes, value, dtype as IntegerDtype, name);
    });
  } else {
    rawData.set(values.map(Number));
  }
  return create(TensorProtoSchema, { name, dataType: dataTypeOf(dtype), dims: dims.map(BigInt), rawData });
}

function writeInteger(view: DataView, at: number, bytes: number, value: bigint, dtype: IntegerDtype, name: string) {
  const fits = dtype.startsWith('u') ? BigInt.asUintN(bytes * 8, value) : BigInt.asIntN(bytes * 8, value);
  if (fits !== value) throw new RangeError(`Tensor "${name}" of ${dtype} cannot hold ${value}.`);
  for (let i = 0; i < bytes; i++) view.setUint8(at + i, Number((value >> BigInt(8 * i)) & 0xffn));
}
