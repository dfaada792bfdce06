import { FLOAT16, fromSmallFloat } from '@mhe/core';
import type { StoredWeight } from './model.js';

/**
 * The numbers of a weight, row-major, dequantised as TensorFlow.js does; `undefined` for strings and complex numbers.
 */
export function weightValues({ spec, bytes }: StoredWeight): Float64Array | undefined {
  const { dtype, quantization } = spec;
  if (dtype !== 'float32' && dtype !== 'int32' && dtype !== 'bool') return undefined;
  const stored = quantization ? quantization.dtype : dtype;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  switch (stored) {
    case 'bool':
      return Float64Array.from(bytes);
    case 'int32':
      return numbers(bytes.byteLength / 4, (i) => view.getInt32(4 * i, true));
    case 'float16':
      return numbers(bytes.byteLength / 2, (i) => fromSmallFloat(view.getUint16(2 * i, true), FLOAT16));
    case 'uint8':
    case 'uint16': {
      const { scale = 1, min = 0 } = quantization ?? {};
      const value = stored === 'uint8' ? (i: number) => view.getUint8(i) : (i: number) => view.getUint16(2 * i, true);
      // In float32, as TensorFlow.js computes it; whole numbers are rounded.
      const restored = (i: number) => Math.fround(value(i) * scale + min);
      const count = bytes.byteLength / (stored === 'uint8' ? 1 : 2);
      return numbers(count, dtype === 'float32' ? restored : (i) => Math.round(restored(i)));
    }
    default:
      return numbers(bytes.byteLength / 4, (i) => view.getFloat32(4 * i, true));
  }
}

function numbers(count: number, at: (index: number) => number): Float64Array {
  const out = new Float64Array(count);
  for (let i = 0; i < count; i++) out[i] = at(i);
  return out;
}
