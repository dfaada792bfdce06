import { type TensorProto, TensorProto_DataLocation } from 'onnx-buf';
import { normaliseLocation } from '../file/external-location.js';
import { quoted } from '../file/onnx-file-error.js';
import type { ByteSource, OnnxModel } from '../graph/model.js';
import { dtypeOf, rawByteLength } from './dtype.js';
import { elementCount } from './tensor-dims.js';
import { tensorError } from './tensor-error.js';

/** A run of bytes of a source. */
export interface ByteRange {
  readonly source: ByteSource;
  readonly offset: number;
  readonly length: number;
}

/**
 * The location of a tensor that belongs into the message and was left in its file. No file can name it: a location
 * with a NUL is refused.
 */
export const IN_MESSAGE = '\0message';

/** Whether a tensor belongs into the message and was left in its file. */
export function isLeftInFile(tensor: TensorProto): boolean {
  return isExternal(tensor) && entry(tensor, 'location') === IN_MESSAGE;
}

/** Whether a tensor's values are not held with the message in memory. */
export function isExternal(tensor: TensorProto): boolean {
  return tensor.dataLocation === TensorProto_DataLocation.EXTERNAL;
}

/**
 * The file that an external tensor names, as a normalised path below the model's folder.
 *
 * @throws OnnxFileError where it names none, or one outside the folder.
 */
export function externalLocation(tensor: TensorProto, model: Pick<OnnxModel, 'name'>): string {
  const location = entry(tensor, 'location');
  if (location === undefined || location === '') {
    throw tensorError(model, tensor, 'is external but names no file', 'The file is damaged', 'external-data');
  }
  const path = normaliseLocation(location);
  if (path === null) {
    throw tensorError(
      model,
      tensor,
      `has its data in ${quoted(location)}, which is not a path inside the model's folder`,
      'Only files beside or below the model are read: move the data there and save the model again',
      'external-data',
    );
  }
  return path;
}

/**
 * Where an external tensor's bytes are, checked against its dimensions and against the size of the source. Without a
 * `length` (early exporters) the tensor takes what it needs of what follows its offset.
 *
 * @throws OnnxFileError where the source is missing, or does not hold the range.
 */
export function externalRange(
  tensor: TensorProto,
  model: Pick<OnnxModel, 'name' | 'externalData' | 'message'>,
): ByteRange {
  if (model.message && isLeftInFile(tensor)) {
    const [offset, length] = [entry(tensor, 'offset'), entry(tensor, 'length')].map(Number) as [number, number];
    return { source: model.message, offset, length };
  }
  const location = externalLocation(tensor, model);
  const fail = (what: string, remedy: string) => tensorError(model, tensor, what, remedy, 'external-data');
  const source = model.externalData.get(location);
  if (source === undefined) {
    throw fail(
      `has its data in ${quoted(location)}, which was not given`,
      `Give it as externalData[${quoted(location)}]`,
    );
  }
  const offset = byteNumber(entry(tensor, 'offset') ?? '0');
  const declared = entry(tensor, 'length');
  const length = declared === undefined ? undefined : byteNumber(declared);
  if (offset === null || length === null) {
    throw fail(
      `has no sensible place in ${quoted(location)} (offset ${quoted(entry(tensor, 'offset') ?? '0')}, length ${quoted(declared ?? '')})`,
      'The model is damaged',
    );
  }
  const dtype = dtypeOf(tensor);
  const needed = dtype === undefined ? undefined : rawByteLength(dtype, elementCount(tensor, model));
  if (needed === null) {
    throw fail('holds strings outside the model, which ONNX does not allow', 'Save it with its strings in the model');
  }
  if (needed !== undefined && length !== undefined && needed !== length) {
    throw fail(
      `needs ${needed} bytes for its dimensions, but declares ${length} in ${quoted(location)}`,
      'The model is damaged',
    );
  }
  const taken = needed ?? length ?? Math.max(source.byteLength - offset, 0);
  if (offset + taken > source.byteLength) {
    throw fail(
      `needs bytes ${offset} to ${offset + taken} of ${quoted(location)}, which has ${source.byteLength}`,
      'That file is incomplete or belongs to another model: download it again',
    );
  }
  return { source, offset, length: taken };
}

function entry(tensor: TensorProto, key: string): string | undefined {
  return tensor.externalData.find((pair) => pair.key === key)?.value;
}

/** A byte count written in decimal, `null` for anything else. */
function byteNumber(text: string): number | null {
  const value = Number(text);
  return /^\d+$/.test(text) && Number.isSafeInteger(value) ? value : null;
}
