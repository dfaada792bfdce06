import type { OnnxModel } from '../graph/model.js';
import { layOutModel } from './lay-out-model.js';
import { OnnxFileError } from './onnx-file-error.js';
import type { ExternalDataPolicy } from './plan-external-data.js';
import { messagePieces } from './write-pieces.js';

/** How to encode a model. */
export interface EncodeOptions {
  /** Default `auto`. */
  readonly externalData?: ExternalDataPolicy;
  /** File name that the data will go under, as the tensors give it. Default: the model's file name and `.data`. */
  readonly dataName?: string;
}

/** A model in memory, as its files would be. */
export interface EncodedModel {
  /** Content of the `.onnx` file. */
  readonly bytes: Uint8Array;
  /** Content of the file beside it, by its name; empty where there is none. */
  readonly externalData: ReadonlyMap<string, Uint8Array>;
}

/**
 * Encodes a model for a runtime or a download: the bytes that `writeModel` would write, held in memory.
 *
 * @param model - the model; its external data is read.
 * @throws OnnxFileError where the message would pass 2 GB, memory does not suffice, or external data is missing.
 */
export function encodeModel(model: OnnxModel, options: EncodeOptions = {}): EncodedModel {
  const dataName = options.dataName ?? `${model.name.split(/[\\/]/).at(-1)}.data`;
  const { message, data } = layOutModel(model, dataName, options.externalData ?? 'auto');
  const bytes = allocate(message.byteLength, model.name);
  let end = 0;
  for (const piece of messagePieces(message)) {
    bytes.set(piece, end);
    end += piece.byteLength;
  }
  const externalData = new Map<string, Uint8Array>();
  if (data.byteLength > 0) {
    const content = allocate(data.byteLength, model.name);
    for (const { source, offset, length, at } of data.ranges) content.set(source.read(offset, length), at);
    externalData.set(dataName, content);
  }
  return { bytes, externalData };
}

function allocate(byteLength: number, name: string): Uint8Array {
  try {
    return new Uint8Array(byteLength);
  } catch (cause) {
    const what = `${(byteLength / 1e9).toFixed(1)} GB are more than fits in one buffer`;
    throw new OnnxFileError(name, 'too-large', what, 'Write it to a file in Node', { cause });
  }
}
