import type { ByteSource } from '../graph/model.js';
import { OnnxFileError } from './onnx-file-error.js';

/** Bytes in memory as a source; reading gives views, not copies. */
export function bytesSource(bytes: Uint8Array, name: string): ByteSource {
  return {
    name,
    byteLength: bytes.byteLength,
    read(offset, length) {
      checkRange(this, offset, length);
      return bytes.subarray(offset, offset + length);
    },
  };
}

/** Throws where a range leaves a source, before anything is allocated for it. */
export function checkRange(source: ByteSource, offset: number, length: number): void {
  const end = offset + length;
  if (Number.isSafeInteger(offset) && offset >= 0 && length >= 0 && end <= source.byteLength) return;
  throw new OnnxFileError(
    source.name,
    'external-data',
    `bytes ${offset} to ${end} were asked for, of ${source.byteLength}`,
    'The model that names them does not belong to this file',
  );
}
