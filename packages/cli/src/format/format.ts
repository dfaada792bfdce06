import type { Inspection, SwapOptions, SwapReport } from '@mhe/core';
import type { Feed } from '../calibration/feed.js';

/** A kind of model file that the command works on. Each adapter gives one, and the commands know no other. */
export interface ModelFormat {
  /** Whether `path` is one of its models, from the name alone. */
  recognises(path: string): boolean;
  /** Reads a model. Throws one clear line where the file is none. */
  open(path: string, signal: AbortSignal): Promise<OpenModel>;
}

/** A model that was read. */
export interface OpenModel {
  inspect(options: InspectOptions): Promise<Inspection>;
  swap(options: SwapOptions<Feed>): Promise<SwapResult>;
  /** The files that writing the swapped model to `path` makes, so that they can be checked before the work. */
  outputFiles(path: string, placement: WeightPlacement): readonly string[];
}

/** What `inspect` may be told. */
export interface InspectOptions {
  /** Number of heads, where the graph does not tell. */
  readonly numHeads?: number;
}

/** A swapped model, not written yet. */
export interface SwapResult {
  readonly report: SwapReport;
  /** Writes beside `path` and renames, so that `path` is never half a file. */
  write(path: string, options: WriteOptions): Promise<WrittenFiles>;
}

/** Where weights go: into files of their own always, never, or where they were. */
export type WeightPlacement = 'auto' | 'always' | 'never';

/** How a model is written. */
export interface WriteOptions {
  readonly externalData: WeightPlacement;
  /** Whether existing files are replaced. */
  readonly force: boolean;
  readonly signal: AbortSignal;
}

/** What was written. */
export interface WrittenFiles {
  readonly files: readonly string[];
  /** Of all files. */
  readonly byteLength: number;
}
