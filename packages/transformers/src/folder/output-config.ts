import { splitPath } from '../split-path.js';
import type { FloatDtype } from './dtype.js';
import type { ModelFile } from './model-folder.js';

/** A file of the output. */
export interface OutputFile extends Pick<ModelFile, 'path' | 'base' | 'dtype'> {
  /** Files of weights beside it; `null` where it is as in the original. */
  readonly dataFiles: number | null;
}

/**
 * The `config.json` of a swapped folder: the original's, but that transformers.js 3 and 4 take the fp32 files, or failing
 * these the fp16 ones, unless they are told otherwise, and find the weights that lie beside.
 */
export function outputConfig(config: Readonly<Record<string, unknown>>, files: readonly OutputFile[]): object {
  const own = record(config[SETTINGS]);
  const dtypes = Object.fromEntries(
    [...new Set(files.map(({ base }) => base))].map((base) => {
      const swapped = FLOATS.find((dtype) => files.some((file) => file.base === base && file.dtype === dtype));
      return [base, swapped ?? record(own.dtype)[base] ?? own.dtype];
    }),
  );
  const [common, ...others] = new Set(Object.values(dtypes));
  const external = files.flatMap(({ path, base, dataFiles }): [string, unknown][] => {
    const name = splitPath(path).name;
    const chunks = dataFiles ?? externalFormat(own.use_external_data_format, name, base);
    return chunks ? [[name, chunks]] : [];
  });
  const { use_external_data_format: _, ...rest } = own;
  return {
    ...config,
    [SETTINGS]: {
      ...rest,
      dtype: others.length === 0 ? common : dtypes,
      ...(external.length > 0 && { use_external_data_format: Object.fromEntries(external) }),
    },
  };
}

/** In the order they are preferred. */
const FLOATS: readonly FloatDtype[] = ['fp32', 'fp16'];

/** Where a configuration keeps what is only for transformers.js. */
const SETTINGS = 'transformers.js_config';

function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

/** As the library reads it: one setting for all files, or one by the file's name. */
function externalFormat(setting: unknown, name: string, base: string): unknown {
  if (typeof setting !== 'object' || setting === null) return setting;
  return record(setting)[name] ?? record(setting)[base];
}
