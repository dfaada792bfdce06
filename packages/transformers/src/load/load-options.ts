import type { SwapReport } from '@mhe/onnx';
import type { MheOptions } from '../options.js';

/** What a load swapped, and whether it found that in the library's cache. */
export interface LoadReport {
  /** By the path of the original's file: `onnx/model.onnx`. */
  readonly files: Readonly<Record<string, SwapReport>>;
  /** True where an earlier load had swapped the model already, also by another class or task. */
  readonly fromCache: boolean;
}

/** What `from_pretrained` and `pipeline` take as `mhe`. */
export interface MheLoadOptions extends MheOptions {
  /**
   * Called before the model is given back: what the swap gained and what it cost. Default: notices, and what
   * was left alone, go to the console when the model is swapped.
   */
  readonly onReport?: (report: LoadReport) => void;
}

/** The options of `from_pretrained` that say where a model comes from, as the library has them. */
export interface HubOptions {
  /** Branch, tag or commit. Default `main`. */
  readonly revision?: string | null;
  /** Folder of the file cache. Default: the library's own, `env.cacheDir`. */
  readonly cache_dir?: string | null;
  /** Downloads nothing. Default `false`. */
  readonly local_files_only?: boolean;
  /** Told how far each file is. Default: nobody is told. */
  readonly progress_callback?: ((info: never) => void) | null;
}

/** The options of `from_pretrained` and `pipeline` that are looked at here. */
export interface LibraryOptions extends HubOptions {
  readonly dtype?: unknown;
  readonly quantized?: unknown;
  readonly subfolder?: string | null;
  readonly model_file_name?: string | null;
}

/** The names of {@link HubOptions}. */
export const HUB_OPTIONS = ['revision', 'cache_dir', 'local_files_only', 'progress_callback'] as const;

/** Of some options, those that say where a model comes from; without what is undefined, as the library has defaults. */
export function hubOptions({ revision, cache_dir, local_files_only, progress_callback }: HubOptions): HubOptions {
  return {
    ...(revision !== undefined && { revision }),
    ...(cache_dir !== undefined && { cache_dir }),
    ...(local_files_only !== undefined && { local_files_only }),
    ...(progress_callback !== undefined && { progress_callback }),
  };
}

/**
 * The loads that together read certain files of a model: one where the class of models says which, else one for each.
 *
 * @param files - `'all'` that the class of models reads, or names without ending: `text_model`.
 */
export function loadsOf(options: LibraryOptions, files: 'all' | readonly string[]): LibraryOptions[] {
  if (files === 'all') return [options];
  return files.map((name) => ({ ...options, model_file_name: name.replace(/\.onnx$/, '') }));
}
