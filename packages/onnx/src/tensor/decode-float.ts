import { BFLOAT16, FLOAT16, fromSmallFloat } from '@mhe/core';
import type { TensorProto } from 'onnx-buf';
import { dtypeOf, type FloatDtype } from './dtype.js';
import { storedValues, type TensorData } from './raw-bytes.js';
import { tensorError } from './tensor-error.js';

/** How one element of each type is read from raw data, and where its values are when they are not raw. */
const readers: Record<FloatDtype, FloatReader> = {
  float64: { bytes: 8, raw: (view, at) => view.getFloat64(at, true), typed: (tensor) => tensor.doubleData },
  float32: { bytes: 4, raw: (view, at) => view.getFloat32(at, true), typed: (tensor) => tensor.floatData },
  float16: smallFloatReader(FLOAT16),
  bfloat16: smallFloatReader(BFLOAT16),
};

interface FloatReader {
  readonly bytes: number;
  raw(view: DataView, at: number): number;
  typed(tensor: TensorProto): readonly number[];
  /** From a value of the typed field to the number; absent where they are the same. */
  readonly fromTyped?: (value: number) => number;
}

function smallFloatReader(format: typeof FLOAT16): FloatReader {
  const fromBits = (bits: number) => fromSmallFloat(bits & 0xffff, format);
  return {
    bytes: 2,
    raw: (view, at) => fromBits(view.getUint16(at, true)),
    typed: (tensor) => tensor.int32Data,
    fromTyped: fromBits,
  };
}

/**
 * The values of a float tensor, row-major, whichever way they are stored. Every value is exact.
 *
 * @param tensor - of float16, bfloat16, float32 or float64.
 * @param model - the model it is part of, for external data.
 * @returns a new array; `tensorDims` gives its shape.
 * @throws OnnxFileError where the tensor is of another type, or its sizes do not agree.
 */
export function decodeFloat(tensor: TensorProto, model: TensorData): Float64Array {
  const dtype = dtypeOf(tensor);
  if (!isFloatDtype(dtype)) {
    throw tensorError(model, tensor, `is of ${dtype ?? `element type ${tensor.dataType}`}, not of float numbers`);
  }
  const reader = readers[dtype];
  const typed = reader.typed(tensor);
  const { count, raw } = storedValues(tensor, model, dtype, typed);
  const values = new Float64Array(count);
  if (raw !== null) for (let i = 0; i < count; i++) values[i] = reader.raw(raw, i * reader.bytes);
  else if (reader.fromTyped === undefined) values.set(typed);
  else for (let i = 0; i < count; i++) values[i] = reader.fromTyped(typed[i] as number);
  return values;
}

/** Whether {@link decodeFloat} reads a type. */
export function isFloatDtype(dtype: string | undefined): dtype is FloatDtype {
  return dtype !== undefined && Object.hasOwn(readers, dtype);
}
