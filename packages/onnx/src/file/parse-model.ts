import { fromBinary } from '@bufbuild/protobuf';
import { type ModelProto, ModelProtoSchema } from 'onnx-buf';
import { isOnnxDomain } from '../graph/constant-tensor.js';
import { checkWire } from './check-wire.js';
import { OnnxFileError, quoted } from './onnx-file-error.js';
import { HEAD_LENGTH, otherFormat, textStart } from './other-formats.js';

/** What protobuf allows a message to have, and ONNX Runtime takes. */
export const MAX_MESSAGE_BYTES = 2 ** 31 - 1;

/**
 * A model's message from its bytes, every field kept, those that this version of ONNX does not know included.
 *
 * @param bytes - the whole file; byte fields of the result are views into it.
 * @param file - what an error message calls it.
 * @throws OnnxFileError where the bytes are something else, damaged, or a model that no ONNX operator set is for.
 */
export function parseModel(bytes: Uint8Array, file: string): ModelProto {
  const head = bytes.subarray(0, HEAD_LENGTH);
  checkFormat(head, file);
  checkLength(bytes.byteLength, file);
  let model: ModelProto;
  try {
    checkWire(bytes, ModelProtoSchema, file);
    model = fromBinary(ModelProtoSchema, bytes);
  } catch (cause) {
    const text = textStart(head);
    if (text !== null) {
      const what = `it is text, not a model: ${quoted(text)}`;
      throw new OnnxFileError(file, 'not-onnx', what, 'Download the model file itself', { cause });
    }
    if (cause instanceof OnnxFileError) throw cause;
    throw new OnnxFileError(file, 'damaged', 'it cannot be parsed', 'Download or export it again', { cause });
  }
  checkModel(model, file);
  return model;
}

/**
 * Checks that a file does not begin like something that is no model.
 *
 * @param head - its first {@link HEAD_LENGTH} bytes.
 * @throws OnnxFileError where it does, or is empty.
 */
export function checkFormat(head: Uint8Array, file: string): void {
  if (head.byteLength === 0) throw new OnnxFileError(file, 'damaged', 'it is empty', 'Download or export it again');
  const other = otherFormat(head);
  if (other !== null) throw new OnnxFileError(file, 'not-onnx', `it ${other.what}`, other.remedy);
}

/** @throws OnnxFileError where a file of this many bytes cannot be one message. */
export function checkLength(byteLength: number, file: string): void {
  if (byteLength <= MAX_MESSAGE_BYTES) return;
  const what = `it has ${(byteLength / 1e9).toFixed(1)} GB, and an ONNX model file at most 2.1`;
  throw new OnnxFileError(file, 'too-large', what, 'Save it with its weights as external data');
}

function checkModel(model: ModelProto, file: string): void {
  const missing = (what: string) => {
    const remedy = 'If it is meant to be one, it is incomplete: download or export it again';
    return new OnnxFileError(file, 'not-onnx', `it is no complete ONNX model: it has no ${what}`, remedy);
  };
  if (model.irVersion <= 0n) throw missing('IR version');
  if (model.graph === undefined) throw missing('graph');
  if (model.opsetImport.length === 0) throw missing('operator set (opset_import)');
  if (model.opsetImport.some(({ domain }) => isOnnxDomain(domain))) return;
  const domains = model.opsetImport.map(({ domain }) => quoted(domain)).join(', ');
  throw new OnnxFileError(
    file,
    'not-onnx',
    `it is a model of an unknown domain: its operators are of ${domains} alone, none of ai.onnx`,
    'Export it with standard ONNX operators',
  );
}
