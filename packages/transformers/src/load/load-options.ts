import type { SwapReport } from '@mhe/onnx';
import type { MheOptions } from '../options.js';

/** What a load swapped, and whether it found that in the library's cache. */
export interface LoadReport {
  /** By the path of the original's file: `onnx/model.onnx`. */
  readonly files: Readonly<Record<string, SwapReport>>;
  /** True where an earlier load had swapped the model already. */
  readonly fromCache: boolean;
}

/** What `from_pretrained` and `pipeline` take as `mhe`. */
export interface MheLoadOptions extends MheOptions {
  /** Called before the model is given back: what the swap gained and what it cost. Default: nobody is told. */
  readonly onReport?: (report: LoadReport) => void;
}

/** The options of `from_pretrained` and `pipeline` that are looked at here. */
export interface LibraryOptions {
  readonly dtype?: unknown;
  readonly quantized?: unknown;
  readonly revision?: string | null;
  readonly cache_dir?: string | null;
  readonly subfolder?: string | null;
  readonly model_file_name?: string | null;
  readonly progress_callback?: ((info: never) => void) | null;
}
