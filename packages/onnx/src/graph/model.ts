import type { ModelProto } from 'onnx-buf';

/** Bytes that can be read in pieces: a buffer, or a file that is never loaded whole. */
export interface ByteSource {
  /** What an error message calls it. */
  readonly name: string;
  readonly byteLength: number;
  /** `length` bytes from `offset`; throws where the range leaves the source. */
  read(offset: number, length: number): Uint8Array;
}

/**
 * An ONNX model: the message as it was read, with every field kept, and the files that hold the tensors which
 * are not in it.
 *
 * Treat `proto` as immutable: an edit makes new messages for what it changes and shares the rest, so that a
 * swapped model and its original can live side by side in little more memory than one.
 */
export interface OnnxModel {
  readonly proto: ModelProto;
  /** External data by the `location` that the tensors name, normalised. */
  readonly externalData: ReadonlyMap<string, ByteSource>;
  /** The message's own file, where its large tensors were left in it (see `leaveInFile`). */
  readonly message?: ByteSource;
  /** The file it was read from, or a name for error messages. */
  readonly name: string;
}
