import type { Dtype } from './dtype.js';

/** What quantises ONNX models; there is nothing of the kind in JavaScript. */
export const CONVERTER = 'pip install onnx onnxruntime';

/** Weights by dtype, as ONNX Runtime's quantiser names them. */
const EIGHT_BITS: Partial<Record<Dtype, string>> = { q8: 'QInt8', int8: 'QInt8', uint8: 'QUInt8' };

/** Operators for which the conversion script of transformers.js takes unsigned weights in q8. */
const UNSIGNED = ['Conv', 'GroupQueryAttention', 'MultiHeadAttention'];

/**
 * The command that makes a file of another dtype out of the fp32 one; `null` where it is more than a line.
 *
 * @param operators - of the fp32 file. Default: none of those that need unsigned weights.
 */
export function conversionCommand(
  source: string,
  target: string,
  dtype: Dtype,
  operators: ReadonlySet<string> = new Set(),
): string | null {
  const isUnsigned = dtype === 'q8' && UNSIGNED.some((operator) => operators.has(operator));
  const weights = isUnsigned ? 'QUInt8' : EIGHT_BITS[dtype];
  if (weights !== undefined) {
    // The columns of swapped queries differ in size: one scale for all of them would lose the small ones.
    const settings = `per_channel=True, weight_type=QuantType.${weights}, extra_options={'EnableSubgraph': True}`;
    const call = `quantize_dynamic('${source}', '${target}', ${settings})`;
    return `python -c "from onnxruntime.quantization import QuantType, quantize_dynamic; ${call}"`;
  }
  if (dtype === 'fp16') {
    const call = `onnx.save(convert_float_to_float16(onnx.load('${source}'), keep_io_types=True), '${target}')`;
    return `python -c "import onnx; from onnxruntime.transformers.float16 import convert_float_to_float16; ${call}"`;
  }
  return null;
}
