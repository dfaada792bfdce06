import type { OnnxModel } from '@mhe/onnx';
import { libraryMajor, type TransformersLibrary } from '../library/library.js';
import { ModelFolderError } from '../model-folder-error.js';
import { splitPath } from '../split-path.js';
import { CONVERTER, conversionCommand } from './conversion.js';
import { fileKind, isFloat } from './dtype.js';
import { operatorsOf } from './operators.js';

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
 * Checks, by its name, that a file is not a quantised one.
 *
 * @param file - its path below the model, which an error calls it by.
 * @throws ModelFolderError naming the file that is needed.
 */
export function checkFloatName(file: string): void {
  const { folder, name } = splitPath(file);
  const { base, dtype } = fileKind(name);
  if (isFloat(dtype)) return;
  const what = `it is the ${dtype} file of ${base}, and the swap needs the fp32 or fp16 one`;
  const command = conversionCommand(`${folder}/${base}.onnx`, file, dtype);
  // Its name does not tell its operators.
  const unsigned = dtype === 'q8' ? ' (QuantType.QUInt8 for a model with convolutions)' : '';
  const how =
    command === null ? ` with the tools of onnxruntime.quantization (${CONVERTER})` : `${unsigned}: ${command}`;
  throw new ModelFolderError(file, 'not-fp32', what, `Swap ${base}.onnx, and convert the result to ${dtype}${how}`);
}

/**
 * Checks that the ONNX Runtime of the library can run what a swap of a file runs.
 *
 * @throws ModelFolderError for fp16 files in version 2, whose runtime gives out no half-precision values.
 */
export function checkRuns(library: TransformersLibrary, file: string): void {
  if (libraryMajor(library) > 2 || fileKind(splitPath(file).name).dtype !== 'fp16') return;
  const what = 'the ONNX Runtime of transformers.js 2 gives out no half-precision values, which the swap measures';
  throw new ModelFolderError(file, 'unsupported', what, 'Swap the fp32 file, or swap with version 3 or 4');
}

/** Checks, by its operators and weights, that a model is not a quantised one under the name of another. */
export function checkNotQuantised(model: OnnxModel): void {
  const sign = signOfQuantisation(model);
  if (sign === null) return;
  const what = `it is quantised (it has ${sign}), and the swap needs the fp32 or fp16 model`;
  throw new ModelFolderError(model.name, 'not-fp32', what, 'Export the model in fp32, and quantise the swapped one');
}

function signOfQuantisation(model: OnnxModel): string | null {
  const { graph } = model.proto;
  const operator = [...operatorsOf(model)].find((each) => QUANTISED.has(each));
  if (operator !== undefined) return operator;
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
