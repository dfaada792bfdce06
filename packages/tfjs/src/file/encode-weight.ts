import { FLOAT16, toSmallFloat } from '@mhe/core';
import type { io } from '@tensorflow/tfjs-core';
import type { StoredWeight } from './model.js';

/** How a weight is stored: `null` as it is, in float32. */
export type StoredType = 'uint8' | 'uint16' | 'float16' | null;

/** How a weight of a model is stored. */
export function storedType({ quantization }: io.WeightsManifestEntry): StoredType {
  return quantization?.dtype ?? null;
}

/** Stores floating-point numbers under a name, quantised as the converter of TensorFlow.js does. */
export function encodeFloats(
  name: string,
  shape: readonly number[],
  values: Float64Array,
  stored: StoredType = null,
): StoredWeight {
  const spec: io.WeightsManifestEntry = { name, shape: [...shape], dtype: 'float32' };
  switch (stored) {
    case null:
      return { spec, bytes: littleEndian(values, 4, (view, at, value) => view.setFloat32(at, value, true)) };
    case 'float16': {
      const bytes = littleEndian(values, 2, (view, at, value) =>
        view.setUint16(at, toSmallFloat(value, FLOAT16), true),
      );
      return { spec: { ...spec, quantization: { dtype: stored } }, bytes };
    }
    default: {
      const levels = stored === 'uint8' ? 2 ** 8 - 1 : 2 ** 16 - 1;
      const { scale, min } = affine(values, levels);
      const level = (value: number) => Math.min(levels, Math.max(0, Math.round((value - min) / scale)));
      const bytes =
        stored === 'uint8'
          ? Uint8Array.from(values, level)
          : littleEndian(values, 2, (view, at, value) => view.setUint16(at, level(value), true));
      return { spec: { ...spec, quantization: { dtype: stored, scale, min } }, bytes };
    }
  }
}

/** Stores whole numbers of 32 bits. */
export function encodeIntegers(name: string, shape: readonly number[], values: readonly number[]): StoredWeight {
  return {
    spec: { name, shape: [...shape], dtype: 'int32' },
    bytes: littleEndian(values, 4, (view, at, value) => view.setInt32(at, value, true)),
  };
}

/** Levels that span the numbers, shifted so that zero is one of them. */
function affine(values: Float64Array, levels: number): { readonly scale: number; readonly min: number } {
  let [low, high] = [0, 0];
  for (const value of values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  const scale = (high - low) / levels || 1;
  return { scale, min: Math.round(low / scale) * scale };
}

function littleEndian(
  values: ArrayLike<number>,
  size: number,
  set: (view: DataView, at: number, value: number) => void,
): Uint8Array {
  const bytes = new Uint8Array(values.length * size);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < values.length; i++) set(view, i * size, values[i] as number);
  return bytes;
}
