import type { TensorProto } from 'onnx-buf';
import { dtypeOf, type IntegerDtype } from './dtype.js';
import { storedValues, type TensorData } from './raw-bytes.js';
import { tensorError } from './tensor-error.js';

interface IntReader {
  readonly bytes: number;
  raw(view: DataView, at: number): bigint | number;
  typed(tensor: TensorProto): readonly (bigint | number)[];
}

const int32Data = (tensor: TensorProto) => tensor.int32Data;
const uint64Data = (tensor: TensorProto) => tensor.uint64Data;

/** How one element of each type is read from raw data, and where its values are when they are not raw. */
const readers: Record<IntegerDtype | 'bool', IntReader> = {
  int8: { bytes: 1, raw: (view, at) => view.getInt8(at), typed: int32Data },
  int16: { bytes: 2, raw: (view, at) => view.getInt16(at, true), typed: int32Data },
  int32: { bytes: 4, raw: (view, at) => view.getInt32(at, true), typed: int32Data },
  int64: { bytes: 8, raw: (view, at) => view.getBigInt64(at, true), typed: (tensor) => tensor.int64Data },
  uint8: { bytes: 1, raw: (view, at) => view.getUint8(at), typed: int32Data },
  uint16: { bytes: 2, raw: (view, at) => view.getUint16(at, true), typed: int32Data },
  uint32: { bytes: 4, raw: (view, at) => view.getUint32(at, true), typed: uint64Data },
  uint64: { bytes: 8, raw: (view, at) => view.getBigUint64(at, true), typed: uint64Data },
  bool: { bytes: 1, raw: (view, at) => view.getUint8(at), typed: int32Data },
};

/**
 * The values of an integer or boolean tensor, row-major, exact: 2^63 - 1 stays what it is. Booleans are 0 and 1.
 *
 * @param tensor - of an integer type of 8 to 64 bits, or bool.
 * @param model - the model it is part of, for external data.
 * @throws OnnxFileError where the tensor is of another type, its sizes do not agree, or a uint64 passes 2^63 - 1.
 */
export function decodeInt(tensor: TensorProto, model: TensorData): BigInt64Array {
  const dtype = dtypeOf(tensor);
  if (!isIntegerDtype(dtype) && dtype !== 'bool') {
    throw tensorError(model, tensor, `is of ${dtype ?? `element type ${tensor.dataType}`}, not of whole numbers`);
  }
  const reader = readers[dtype];
  const typed = reader.typed(tensor);
  const { count, raw } = storedValues(tensor, model, dtype, typed);
  const values = new BigInt64Array(count);
  for (let i = 0; i < count; i++) {
    const value = BigInt(raw === null ? (typed[i] as bigint | number) : reader.raw(raw, i * reader.bytes));
    if (value >= 2n ** 63n) throw tensorError(model, tensor, `holds ${value}, more than a signed 64-bit number`);
    values[i] = dtype === 'bool' && value !== 0n ? 1n : value;
  }
  return values;
}

/**
 * The values of an integer tensor as numbers: dimensions, axes, permutations.
 *
 * @throws OnnxFileError as {@link decodeInt}, and where a number could not be exact, as the 2^63 - 1 of a slice that
 *   ends at the end.
 */
export function decodeIntAsNumbers(tensor: TensorProto, model: TensorData): number[] {
  return Array.from(decodeInt(tensor, model), (value) => {
    const number = Number(value);
    if (!Number.isSafeInteger(number)) throw tensorError(model, tensor, `holds ${value}, which has no exact number`);
    return number;
  });
}

/**
 * The values of a boolean tensor.
 *
 * @throws OnnxFileError where the tensor is of another type, or its sizes do not agree.
 */
export function decodeBool(tensor: TensorProto, model: TensorData): boolean[] {
  if (dtypeOf(tensor) !== 'bool') throw tensorError(model, tensor, `is of ${dtypeOf(tensor)}, not of bool`);
  return Array.from(decodeInt(tensor, model), (value) => value !== 0n);
}

/** Whether a type is one of whole numbers that {@link decodeInt} reads. */
function isIntegerDtype(dtype: string | undefined): dtype is IntegerDtype {
  return dtype !== undefined && dtype !== 'bool' && Object.hasOwn(readers, dtype);
}
