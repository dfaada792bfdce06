import type { OnnxModel } from '@mhe/onnx';
import { ModelFolderError } from '../model-folder-error.js';
import { splitPath } from '../split-path.js';
import { fileKind } from './dtype.js';

/** Operators that only quantised models have. */
const QUANTISED = new Set([
  'DequantizeLinear',
  'DynamicQuantizeLinear',
  'GatherBlockQuantized',
  'MatMulBnb4',
  'MatMulInteger',
  'MatMulNBits',
  'QLinearMatMul',
]);

/**
 * Checks, by its name, that a file is the fp32 one.
 *
 * @param file - its path below the model, which an error calls it by.
 * @throws ModelFolderError naming the file that is needed.
 */
export function checkFp32Name(file: string): void {
  const { base, dtype } = fileKind(splitPath(file).name);
  if (dtype === 'fp32') return;
  const remedy = `Swap ${base}.onnx, and convert the result to ${dtype} afterwards`;
  throw new ModelFolderError(
    file,
    'not-fp32',
    `it is the ${dtype} file of ${base}, and the swap needs the fp32 one`,
    remedy,
  );
}

/** Checks, by its operators, that a model is not a quantised one under the name of the fp32 one. */
export function checkNotQuantised(model: OnnxModel): void {
  const node = model.proto.graph?.node.find(({ opType }) => QUANTISED.has(opType));
  if (node === undefined) return;
  const what = `it is quantised (it has ${node.opType}), and the swap needs the fp32 model`;
  throw new ModelFolderError(model.name, 'not-fp32', what, 'Export the model in fp32, and quantise the swapped one');
}
