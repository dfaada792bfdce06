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

/** Numbers of `TensorProto.DataType`: uint8 and int8; float, float16 and bfloat16. */
const EIGHT_BITS = new Set([2, 3]);
const FLOATS = new Set([1n, 10n, 16n]);

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

/** Checks, by its operators and weights, that a model is not a quantised one under the name of the fp32 one. */
export function checkNotQuantised(model: OnnxModel): void {
  const sign = signOfQuantisation(model);
  if (sign === null) return;
  const what = `it is quantised (it has ${sign}), and the swap needs the fp32 model`;
  throw new ModelFolderError(model.name, 'not-fp32', what, 'Export the model in fp32, and quantise the swapped one');
}

function signOfQuantisation({ proto: { graph } }: OnnxModel): string | null {
  const node = graph?.node.find(({ opType }) => QUANTISED.has(opType));
  if (node !== undefined) return node.opType;
  // Some quantise the weights alone, and bring them back by plain operators.
  const weights = new Set(graph?.initializer.flatMap(({ name, dataType }) => (EIGHT_BITS.has(dataType) ? name : [])));
  const cast = graph?.node.find(
    ({ opType, input, attribute }) =>
      opType === 'Cast' &&
      weights.has(input[0] ?? '') &&
      attribute.some(({ name, i }) => name === 'to' && FLOATS.has(i)),
  );
  return cast === undefined ? null : `weights of 8 bits, ${cast.input[0]}`;
}
