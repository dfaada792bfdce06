import { FLOAT16, fromSmallFloat, toSmallFloat } from '@mhe/core';
import type { Dtype } from '../tensor/dtype.js';

/** What holds the values of each element type on the JavaScript side; float16 as its bits, bool as 0 and 1. */
interface HostData {
  float32: Float32Array;
  float64: Float64Array;
  float16: Uint16Array;
  int8: Int8Array;
  uint8: Uint8Array;
  int16: Int16Array;
  uint16: Uint16Array;
  int32: Int32Array;
  uint32: Uint32Array;
  int64: BigInt64Array;
  uint64: BigUint64Array;
  bool: Uint8Array;
  string: readonly string[];
}

/** Element types that ONNX Runtime takes from and gives to JavaScript, by the names it has for them. */
export type HostDtype = keyof HostData;

/** Element types of numbers and booleans. */
export type NumericDtype = Exclude<HostDtype, 'string'>;

/** A tensor outside the runtime: row-major values and dimensions. */
export type HostTensor = {
  [D in HostDtype]: { readonly dtype: D; readonly dims: readonly number[]; readonly data: HostData[D] };
}[HostDtype];

/** Tensors by the names of a model's inputs or outputs. */
export type HostTensors = Readonly<Record<string, HostTensor>>;

const arrays: { [D in NumericDtype]: new (length: number) => HostData[D] } = {
  float32: Float32Array,
  float64: Float64Array,
  float16: Uint16Array,
  int8: Int8Array,
  uint8: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
  bool: Uint8Array,
};

/** Whether tensors of an element type can be host tensors; bfloat16, for one, cannot. */
export function isHostDtype(dtype: Dtype | undefined): dtype is HostDtype {
  return dtype !== undefined && (dtype === 'string' || Object.hasOwn(arrays, dtype));
}

/**
 * Makes a tensor value by value.
 *
 * @param dtype - element type.
 * @param dims - dimensions; `[]` for a scalar.
 * @param valueAt - the value at a row-major place: the number itself, for float16 too; 0 and 1 for bool.
 */
export function fillHostTensor(
  dtype: NumericDtype,
  dims: readonly number[],
  valueAt: (place: number) => number | bigint,
): HostTensor {
  const data = new arrays[dtype](dims.reduce((product, dim) => product * dim, 1));
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) {
    for (let i = 0; i < data.length; i++) data[i] = BigInt(valueAt(i));
  } else if (dtype === 'float16') {
    for (let i = 0; i < data.length; i++) data[i] = toSmallFloat(Number(valueAt(i)), FLOAT16);
  } else {
    for (let i = 0; i < data.length; i++) data[i] = Number(valueAt(i));
  }
  return { dtype, dims: [...dims], data } as HostTensor;
}

/**
 * A tensor's values as numbers. 64-bit integers beyond 2^53 are rounded.
 *
 * @throws TypeError for a tensor of strings.
 */
export function hostNumbers(tensor: HostTensor): Float64Array {
  switch (tensor.dtype) {
    case 'string':
      throw new TypeError('A tensor of strings has no numbers.');
    case 'float16':
      return Float64Array.from(tensor.data, (bits) => fromSmallFloat(bits, FLOAT16));
    case 'int64':
    case 'uint64':
      return Float64Array.from(tensor.data, Number);
    default:
      return new Float64Array(tensor.data);
  }
}
