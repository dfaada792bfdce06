import { splitPath } from '../split-path.js';
import type { ModelFile } from './model-folder.js';

/** A file of the output. */
export interface OutputFile extends Pick<ModelFile, 'path' | 'base' | 'dtype'> {
  /** Files of weights beside it; `null` where it is as in the original. */
  readonly dataFiles: number | null;
}

/**
 * The `config.json` of a swapped folder: the original's, but that transformers.js 3 and 4 take the fp32 files unless they
 * are told otherwise, and find the weights that lie beside.
 */
export function outputConfig(config: Readonly<Record<string, unknown>>, files: readonly OutputFile[]): object {
  const own = record(config[SETTINGS]);
  const dtypes = Object.fromEntries(
    [...new Set(files.map(({ base }) => base))].map((base) => {
      const hasFp32 = files.some((file) => file.base === base && file.dtype === 'fp32');
      return [base, hasFp32 ? 'fp32' : (record(own.dtype)[base] ?? own.dtype)];
    }),
  );
  const isAllFp32 = Object.values(dtypes).every((dtype) => dtype === 'fp32');
  const external = files.flatMap(({ path, base, dataFiles }): [string, unknown][] => {
    const name = splitPath(path).name;
    const chunks = dataFiles ?? externalFormat(own.use_external_data_format, name, base);
    return chunks ? [[name, chunks]] : [];
  });
  const { use_external_data_format: _, ...others } = own;
  return {
    ...config,
    [SETTINGS]: {
      ...others,
      dtype: isAllFp32 ? 'fp32' : dtypes,
      ...(external.length > 0 && { use_external_data_format: Object.fromEntries(external) }),
    },
  };
}

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
