/**
 * Endings of file names by the type of their weights, as versions 2 to 4 of transformers.js know them; a name without
 * one is fp32.
 */
const SUFFIXES = {
  _fp16: 'fp16',
  _int8: 'int8',
  _uint8: 'uint8',
  _quantized: 'q8',
  _q4: 'q4',
  _q2: 'q2',
  _q1: 'q1',
  _q4f16: 'q4f16',
  _q2f16: 'q2f16',
  _q1f16: 'q1f16',
  _bnb4: 'bnb4',
} as const;

/** The dtype of a model file, as transformers.js names it. */
export type Dtype = 'fp32' | (typeof SUFFIXES)[keyof typeof SUFFIXES];

/** All dtypes. */
export const DTYPES: readonly Dtype[] = ['fp32', ...Object.values(SUFFIXES)];

/** A dtype whose files can be swapped. */
export type FloatDtype = 'fp32' | 'fp16';

/** An `.onnx` file by the name that transformers.js asks for, and the dtype that the ending tells. */
export interface FileKind {
  /** Without ending: `model`, `text_model`. */
  readonly base: string;
  readonly dtype: Dtype;
}

/** Reads the name of an `.onnx` file: `model_quantized.onnx` is `model` in q8. */
export function fileKind(name: string): FileKind {
  const stem = name.replace(/\.onnx$/, '');
  for (const [suffix, dtype] of Object.entries(SUFFIXES)) {
    if (stem.endsWith(suffix)) return { base: stem.slice(0, -suffix.length), dtype };
  }
  return { base: stem, dtype: 'fp32' };
}

/** Whether weights of a dtype are numbers that can be fitted. Others are quantised. */
export function isFloat(dtype: Dtype): dtype is FloatDtype {
  return dtype === 'fp32' || dtype === 'fp16';
}

/** The name of the file that transformers.js asks for: `model_quantized.onnx`. */
export function fileName({ base, dtype }: FileKind): string {
  const [suffix = ''] = Object.entries(SUFFIXES).find(([, each]) => each === dtype) ?? [];
  return `${base}${suffix}.onnx`;
}
