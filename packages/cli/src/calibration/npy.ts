import type { NumberArray } from '@mhe/core';
import type { FeedTensor } from './feed.js';

type ArrayConstructor = new (buffer: ArrayBuffer) => NumberArray;

const elementTypes: ReadonlyMap<string, ArrayConstructor> = new Map<string, ArrayConstructor>([
  ['<f4', Float32Array],
  ['<f8', Float64Array],
  ['|i1', Int8Array],
  ['|u1', Uint8Array],
  ['|b1', Uint8Array],
  ['<i2', Int16Array],
  ['<u2', Uint16Array],
  ['<i4', Int32Array],
  ['<u4', Uint32Array],
  ['<i8', BigInt64Array],
  ['<u8', BigUint64Array],
]);

/**
 * Reads one array of NumPy's `.npy` format (versions 1 to 3 of its specification, NEP 1): little-endian numbers in
 * row-major order. 64-bit integers stay exact.
 *
 * @param bytes - the whole file.
 * @param name - what an error calls it.
 * @throws Error where it is no such array, or holds something else than these numbers.
 */
export function parseNpy(bytes: Uint8Array, name: string): FeedTensor {
  const { header, bodyOffset } = readHeader(bytes, name);
  const type = elementType(header, name);
  if (/'fortran_order':\s*True/.test(header)) {
    throw new Error(`${name} is in column-major (Fortran) order; save numpy.ascontiguousarray(array)`);
  }
  const dims = readShape(header, name);
  // A copy: the numbers must start at a multiple of their size.
  const body = Uint8Array.from(bytes.subarray(bodyOffset));
  const expected = dims.reduce((size, dim) => size * dim, type.size);
  if (body.byteLength !== expected) {
    throw new Error(
      `${name} declares the shape (${dims.join(', ')}), ${expected} bytes, and holds ${body.byteLength} bytes`,
    );
  }
  return { data: new type.construct(body.buffer), dims };
}

function readHeader(bytes: Uint8Array, name: string): { header: string; bodyOffset: number } {
  const magic = String.fromCharCode(...bytes.subarray(0, 6));
  const version = bytes[6] ?? 0;
  if (magic !== '\x93NUMPY' || version < 1 || version > 3) throw new Error(`${name} is no .npy array`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const start = version === 1 ? 10 : 12;
  if (bytes.byteLength < start) throw new Error(`${name} ends inside its header`);
  const end = start + (version === 1 ? view.getUint16(8, true) : view.getUint32(8, true));
  if (bytes.byteLength < end) throw new Error(`${name} ends inside its header`);
  return { header: new TextDecoder().decode(bytes.subarray(start, end)), bodyOffset: end };
}

function elementType(header: string, name: string): { construct: ArrayConstructor; size: number } {
  const code = /'descr':\s*'([^']*)'/.exec(header)?.[1];
  if (code === undefined) throw new Error(`${name} has a structured type; plain numbers are needed`);
  const construct = elementTypes.get(code);
  if (construct) return { construct, size: Number(code.slice(2)) };
  if (code.startsWith('|O')) throw new Error(`${name} holds pickled Python objects, which are never loaded`);
  if (code.startsWith('>')) {
    throw new Error(`${name} is big-endian (${code}); save array.astype("<${code.slice(1)}")`);
  }
  throw new Error(`${name} has the type ${code}; float32, float64, bool and integers of 8 to 64 bits are supported`);
}

function readShape(header: string, name: string): number[] {
  const shape = /'shape':\s*\(([\d,\s]*)\)/.exec(header)?.[1];
  if (shape === undefined) throw new Error(`${name} has no readable shape in its header`);
  return shape
    .split(',')
    .map((dim) => dim.trim())
    .filter((dim) => dim !== '')
    .map(Number);
}
