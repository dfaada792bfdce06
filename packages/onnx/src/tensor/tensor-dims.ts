import type { TensorProto } from 'onnx-buf';
import type { OnnxModel } from '../graph/model.js';
import { tensorError } from './tensor-error.js';

/**
 * A tensor's dimensions as numbers; `[]` for a scalar.
 *
 * @throws OnnxFileError where one is negative or no exact number.
 */
export function tensorDims(tensor: TensorProto, model: Pick<OnnxModel, 'name'>): number[] {
  return tensor.dims.map((dim) => {
    if (dim < 0n || dim > BigInt(Number.MAX_SAFE_INTEGER)) {
      throw tensorError(model, tensor, `declares a dimension of ${dim}`, 'The file is damaged');
    }
    return Number(dim);
  });
}

/**
 * How many elements a tensor's dimensions declare; nothing is allocated for them.
 *
 * @throws OnnxFileError where the number is not exact, as in a hostile or damaged file.
 */
export function elementCount(tensor: TensorProto, model: Pick<OnnxModel, 'name'>): number {
  const dims = tensorDims(tensor, model);
  // A zero anywhere makes it empty, however large the others.
  const count = dims.includes(0) ? 0 : dims.reduce((product, dim) => product * dim, 1);
  if (!Number.isSafeInteger(count)) {
    throw tensorError(model, tensor, `declares ${dims.join(' x ')} elements, more than any file holds`);
  }
  return count;
}
