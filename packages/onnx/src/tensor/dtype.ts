import { type TensorProto, TensorProto_DataType } from 'onnx-buf';

/**
 * The element types of ONNX: name, number in `TensorProto.DataType`, bits that an element takes in raw data
 * (`null` for strings, which have no raw form).
 */
const dtypes = {
  float32: { dataType: TensorProto_DataType.FLOAT, bits: 32 },
  uint8: { dataType: TensorProto_DataType.UINT8, bits: 8 },
  int8: { dataType: TensorProto_DataType.INT8, bits: 8 },
  uint16: { dataType: TensorProto_DataType.UINT16, bits: 16 },
  int16: { dataType: TensorProto_DataType.INT16, bits: 16 },
  int32: { dataType: TensorProto_DataType.INT32, bits: 32 },
  int64: { dataType: TensorProto_DataType.INT64, bits: 64 },
  string: { dataType: TensorProto_DataType.STRING, bits: null },
  bool: { dataType: TensorProto_DataType.BOOL, bits: 8 },
  float16: { dataType: TensorProto_DataType.FLOAT16, bits: 16 },
  float64: { dataType: TensorProto_DataType.DOUBLE, bits: 64 },
  uint32: { dataType: TensorProto_DataType.UINT32, bits: 32 },
  uint64: { dataType: TensorProto_DataType.UINT64, bits: 64 },
  complex64: { dataType: TensorProto_DataType.COMPLEX64, bits: 64 },
  complex128: { dataType: TensorProto_DataType.COMPLEX128, bits: 128 },
  bfloat16: { dataType: TensorProto_DataType.BFLOAT16, bits: 16 },
  float8e4m3fn: { dataType: TensorProto_DataType.FLOAT8E4M3FN, bits: 8 },
  float8e4m3fnuz: { dataType: TensorProto_DataType.FLOAT8E4M3FNUZ, bits: 8 },
  float8e5m2: { dataType: TensorProto_DataType.FLOAT8E5M2, bits: 8 },
  float8e5m2fnuz: { dataType: TensorProto_DataType.FLOAT8E5M2FNUZ, bits: 8 },
  uint4: { dataType: TensorProto_DataType.UINT4, bits: 4 },
  int4: { dataType: TensorProto_DataType.INT4, bits: 4 },
  float4e2m1: { dataType: TensorProto_DataType.FLOAT4E2M1, bits: 4 },
  float8e8m0: { dataType: TensorProto_DataType.FLOAT8E8M0, bits: 8 },
  uint2: { dataType: TensorProto_DataType.UINT2, bits: 2 },
  int2: { dataType: TensorProto_DataType.INT2, bits: 2 },
} as const;

/** The name of an element type, as NumPy or ONNX write it in lower case. */
export type Dtype = keyof typeof dtypes;

/** Element types that {@link decodeFloat} reads and {@link encodeTensor} writes from float64 numbers. */
export type FloatDtype = 'float16' | 'bfloat16' | 'float32' | 'float64';

/** Element types that {@link decodeInt} reads and {@link encodeTensor} writes from 64-bit integers. */
export type IntegerDtype = 'int8' | 'int16' | 'int32' | 'int64' | 'uint8' | 'uint16' | 'uint32' | 'uint64';

const nameOf = new Map<number, Dtype>(
  Object.entries(dtypes).map(([name, { dataType }]) => [dataType, name as Dtype] as const),
);

/** A tensor's element type, `undefined` where its number means none (0, or one newer than this table). */
export function dtypeOf(tensor: Pick<TensorProto, 'dataType'>): Dtype | undefined {
  return dtypeFromNumber(tensor.dataType);
}

/** The name of a `TensorProto.DataType` (also `elem_type` of a value's type), `undefined` for one unknown. */
export function dtypeFromNumber(dataType: number): Dtype | undefined {
  return nameOf.get(dataType);
}

/** The `TensorProto.DataType` of a name. */
export function dataTypeOf(dtype: Dtype): TensorProto_DataType {
  return dtypes[dtype].dataType;
}

/** Bits of one element in raw data: 4 for two to a byte, `null` for strings. */
export function bitsPerElement(dtype: Dtype): number | null {
  return dtypes[dtype].bits;
}

/** Bytes that `count` elements take in raw data, the last one filled up; `null` for strings. */
export function rawByteLength(dtype: Dtype, count: number): number | null {
  const bits = bitsPerElement(dtype);
  // Division before the product: count * bits may pass 2^53 where count is a size nobody stores.
  return bits === null ? null : Math.ceil(count * (bits / 8));
}
