import type { TensorProto } from 'onnx-buf';
import { OnnxFileError, type OnnxFileProblem, quoted } from '../file/onnx-file-error.js';
import type { OnnxModel } from '../graph/model.js';

/** An error about one tensor of a model; `what` is said of the tensor. */
export function tensorError(
  model: Pick<OnnxModel, 'name'>,
  tensor: Pick<TensorProto, 'name'>,
  what: string,
  remedy?: string,
  problem: OnnxFileProblem = 'tensor',
): OnnxFileError {
  const name = tensor.name === '' ? 'a tensor without a name' : `tensor ${quoted(tensor.name)}`;
  return new OnnxFileError(model.name, problem, `${name} ${what}`, remedy);
}
