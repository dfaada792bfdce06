import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { ModelFormat, OpenModel } from './format.js';
import { onnxFormat } from './onnx.js';
import { tfjsFormat } from './tfjs.js';
import { transformersFormat } from './transformers.js';

/** In the order they are asked. ONNX comes last and takes every file, because its files carry any name. */
const formats: readonly ModelFormat[] = [transformersFormat, tfjsFormat, onnxFormat];

/**
 * Reads a model in the first format that recognises its path.
 *
 * @throws Error where the path is a folder of no model, or the format cannot read it.
 */
export function openModel(path: string, signal: AbortSignal): Promise<OpenModel> {
  const statOf = (file: string) => statSync(file, { throwIfNoEntry: false });
  const isFolder = statOf(path)?.isDirectory() === true;
  const holds = (file: string) => isFolder && statOf(join(path, file)) !== undefined;
  const format = formats.find((candidate) => candidate.recognises({ path, isFolder, holds }));
  if (format) return format.open(path, signal);
  throw new Error(
    `${path} is a folder without a model.json, or a config.json and onnx/; name a model file (.onnx), or the folder of a TensorFlow.js or transformers.js model`,
  );
}
