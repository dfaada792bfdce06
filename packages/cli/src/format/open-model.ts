import type { ModelFormat, OpenModel } from './format.js';
import { onnxFormat } from './onnx.js';

/** In the order they are asked. ONNX comes last and takes every path, because its files carry any name. */
const formats: readonly ModelFormat[] = [onnxFormat];

/** Reads a model in the first format that recognises its path. */
export function openModel(path: string, signal: AbortSignal): Promise<OpenModel> {
  const format = formats.find(({ recognises }) => recognises(path)) ?? onnxFormat;
  return format.open(path, signal);
}
