import type { io } from '@tensorflow/tfjs-core';
import { quoted, TfjsFileError } from './tfjs-file-error.js';

/** Bytes of an element of each stored type (TensorFlow.js, `io/types`). */
const elementBytes: Readonly<Record<string, number>> = {
  float32: 4,
  int32: 4,
  bool: 1,
  complex64: 8,
  uint8: 1,
  uint16: 2,
  float16: 2,
};

/** More elements than a typed array, and any backend's buffer, can hold. */
const MOST_ELEMENTS = 2 ** 32;

/** Number of elements of a weight. Assumes a checked shape. */
export function weightElements({ shape }: Pick<io.WeightsManifestEntry, 'shape'>): number {
  return shape.reduce((count, size) => count * size, 1);
}

/**
 * Bytes that a weight takes where its type alone tells; `null` for strings, whose elements carry their own lengths.
 *
 * @throws TfjsFileError where its shape or type makes no sense.
 */
export function fixedByteLength(spec: io.WeightsManifestEntry, model: string): number | null {
  const { name, shape, dtype, quantization } = spec;
  const damaged = (what: string) => new TfjsFileError(model, 'damaged', `the weight ${quoted(name)} ${what}`);
  const isShape = Array.isArray(shape) && shape.every((size) => Number.isSafeInteger(size) && size >= 0);
  if (!isShape) throw damaged(`has the shape ${quoted(JSON.stringify(shape) ?? 'undefined')}`);
  if (!shape.every((size) => size <= MOST_ELEMENTS) || !(weightElements(spec) <= MOST_ELEMENTS)) {
    throw damaged(`of [${shape.join(', ')}] is too large for any tensor`);
  }
  if (dtype === 'string') return null;
  const stored = quantization ? quantization.dtype : dtype;
  const isAffine = stored === 'uint8' || stored === 'uint16';
  if (quantization && !isAffine && stored !== 'float16') throw damaged(`is quantised to ${quoted(String(stored))}`);
  if (isAffine && quantization && !(Number.isFinite(quantization.scale) && Number.isFinite(quantization.min))) {
    throw damaged(`is quantised to ${stored} without a scale and a min`);
  }
  const bytes = Object.hasOwn(elementBytes, stored) ? elementBytes[stored] : undefined;
  if (bytes === undefined) throw damaged(`is of the unknown type ${quoted(String(stored))}`);
  return weightElements(spec) * bytes;
}

/**
 * Bytes that a weight takes from the start of some data.
 *
 * @throws TfjsFileError where the data is too short for it, or its shape or type makes no sense.
 */
export function weightByteLength(spec: io.WeightsManifestEntry, data: Uint8Array, model: string): number {
  const length = fixedByteLength(spec, model) ?? stringsByteLength(spec, data);
  if (length > data.byteLength) {
    throw new TfjsFileError(
      model,
      'weights',
      `the weight ${quoted(spec.name)} takes ${length} bytes, and ${data.byteLength} are left`,
      'Download the model again, with all its weight files',
    );
  }
  return length;
}

/** Every string is its length, 32 bits little-endian, and its bytes. */
function stringsByteLength(spec: io.WeightsManifestEntry, data: Uint8Array): number {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const count = weightElements(spec);
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (at + 4 > data.byteLength) return Number.POSITIVE_INFINITY;
    at += 4 + view.getUint32(at, true);
  }
  return at;
}
