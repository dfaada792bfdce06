import type { TensorProto } from 'onnx-buf';
import type { OnnxModel } from '../graph/model.js';
import { type Dtype, dtypeOf, rawByteLength } from './dtype.js';
import { externalRange, isExternal } from './external-range.js';
import { elementCount } from './tensor-dims.js';
import { tensorError } from './tensor-error.js';

/** What a tensor's values are read with. */
export type TensorData = Pick<OnnxModel, 'name' | 'externalData' | 'message'>;

/**
 * A tensor's raw little-endian bytes, from the message or from its file; `null` where its values are in typed fields.
 * Often a view into the model's own buffer, at any alignment: not to be written to.
 *
 * @throws OnnxFileError where the bytes are not as many as the dimensions say; nothing is allocated before that.
 */
export function rawBytes(tensor: TensorProto, model: TensorData): Uint8Array | null {
  if (isExternal(tensor)) {
    const { source, offset, length } = externalRange(tensor, model);
    return source.read(offset, length);
  }
  if (tensor.rawData.byteLength === 0) return null;
  const dtype = dtypeOf(tensor);
  const needed = dtype === undefined ? undefined : rawByteLength(dtype, elementCount(tensor, model));
  if (needed !== undefined && needed !== tensor.rawData.byteLength) {
    const shape = `[${tensor.dims.join(', ')}] of ${dtype}`;
    throw tensorError(
      model,
      tensor,
      `declares ${shape}, ${needed === null ? 'which has no raw form' : `${needed} bytes`}, but holds ${tensor.rawData.byteLength} bytes`,
      'The file is damaged',
    );
  }
  return tensor.rawData;
}

/**
 * The raw bytes as a view for reading numbers, and how many there are; or the typed field's values, checked to be as
 * many as the dimensions say.
 */
export function storedValues<V>(
  tensor: TensorProto,
  model: TensorData,
  dtype: Dtype,
  typed: readonly V[],
): { readonly count: number; readonly raw: DataView } | { readonly count: number; readonly raw: null } {
  const count = elementCount(tensor, model);
  const bytes = rawBytes(tensor, model);
  if (bytes !== null) return { count, raw: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength) };
  if (typed.length !== count) {
    throw tensorError(
      model,
      tensor,
      `declares [${tensor.dims.join(', ')}] of ${dtype}, ${count} values, but holds ${typed.length}`,
      'The file is damaged',
    );
  }
  return { count, raw: null };
}
