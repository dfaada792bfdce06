import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { ModelFormat, OpenModel, OpenOptions } from './format.js';
import { hubFormat } from './hub.js';
import { onnxFormat } from './onnx.js';
import { tfjsFormat } from './tfjs.js';
import { transformersFormat } from './transformers.js';

/** In the order they are asked. ONNX comes last and takes every file, because its files carry any name. */
const formats: readonly ModelFormat[] = [transformersFormat, hubFormat, tfjsFormat, onnxFormat];

/** What the options of the opening are for. */
const optionNames = {
  files: ['--files', 'models of transformers.js'],
  dtypes: ['--dtype', 'models of transformers.js'],
  revision: ['--revision', 'models of the hub'],
  cacheDir: ['--cache-dir', 'models of the hub'],
} as const;

/**
 * Reads a model in the first format that recognises its path.
 *
 * @throws Error where the path is a folder of no model, or the format cannot read it.
 */
export function openModel(path: string, options: OpenOptions): Promise<OpenModel> {
  const statOf = (file: string) => statSync(file, { throwIfNoEntry: false });
  const exists = statOf(path) !== undefined;
  const isFolder = statOf(path)?.isDirectory() === true;
  const holds = (file: string) => isFolder && statOf(join(path, file)) !== undefined;
  const format = formats.find((candidate) => candidate.recognises({ path, exists, isFolder, holds }));
  if (format) {
    for (const [name, [option, models]] of Object.entries(optionNames)) {
      const key = name as keyof typeof optionNames;
      if (options[key] === undefined || format.takes.includes(key)) continue;
      options.onNote(`${option} has no effect on ${path}; it is for ${models}`);
    }
    return format.open(path, options);
  }
  throw new Error(
    `${path} is a folder without a model.json, or a config.json and onnx/; name a model file (.onnx), or the folder of a TensorFlow.js or transformers.js model`,
  );
}
