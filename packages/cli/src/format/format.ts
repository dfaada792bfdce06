import type { Inspection, SwapOptions, SwapReport } from '@mhe/core';
import type { Dtype } from '@mhe/transformers';
import type { Calibration } from '../calibration/calibration.js';
import type { FileProgress } from './hub.js';

/** A kind of model that the command works on. Each adapter gives one, and the commands know no other. */
export interface ModelFormat {
  /** Which options of the opening mean something to it. */
  readonly takes: readonly (keyof Source)[];
  /** Whether `path` is one of its models, told without reading it. */
  recognises(path: ModelPath): boolean;
  /** Reads a model. Throws one clear line where the path leads to none. */
  open(path: string, options: OpenOptions): Promise<OpenModel>;
}

/** Where a model is taken from, and which part of it. */
export interface Source {
  /** Names of model files; all where it is left out. */
  readonly files?: readonly string[];
  /** Their dtypes; fp32, or failing that fp16, where it is left out. */
  readonly dtypes?: readonly Dtype[];
  /** Branch, tag or commit on the hub. */
  readonly revision?: string;
  /** Where models of the hub are kept. */
  readonly cacheDir?: string;
}

/** How a model is opened. */
export interface OpenOptions extends Source {
  readonly signal: AbortSignal;
  /** Told of options that have no effect. */
  onNote(line: string): void;
}

/** A path that a user gives for a model, and what is there. */
export interface ModelPath {
  readonly path: string;
  readonly exists: boolean;
  readonly isFolder: boolean;
  /** Whether it is a folder that holds a file of this name. */
  holds(file: string): boolean;
}

/** A model that was read. */
export interface OpenModel {
  /** Brings it to this machine, where it is not here yet; otherwise the first use does. */
  download?(onProgress: (progress: FileProgress) => void): Promise<void>;
  inspect(options: InspectOptions): Promise<readonly InspectedPart[]>;
  swap(options: ModelSwapOptions): Promise<SwapResult>;
  /**
   * Makes sure, before any long work, that the swapped model can be written to `output`. Throws one clear line where it
   * cannot.
   *
   * @returns a line for each option that has no effect on models of this kind.
   */
  checkOutput(output: string, options: WriteOptions): Promise<readonly string[]>;
}

/** What `inspect` may be told. */
export interface InspectOptions {
  /** Number of heads, where the graph does not tell. */
  readonly numHeads?: number;
}

/** How a model is swapped. */
export type ModelSwapOptions = Omit<SwapOptions<never>, 'calibration'> & { readonly calibration: Calibration };

/** A graph of a model, by its file below the model's folder; `null` for the model itself, where it is one graph. */
interface Part {
  readonly file: string | null;
}

/** What is in one graph of a model. */
export interface InspectedPart extends Part {
  readonly inspection: Inspection;
  /** Of all the graph, where the adapter tells. */
  readonly size?: { readonly parameters: number; readonly cachePerToken: number };
}

/** What was done to one graph of a model. */
export interface SwappedPart extends Part {
  readonly report: SwapReport;
}

/** A swapped model, not written yet. */
export interface SwapResult {
  readonly parts: readonly SwappedPart[];
  /** Writes beside `output` and renames, so that `output` is never half a model. */
  write(output: string, options: WriteOptions): Promise<WrittenFiles>;
}

/** Where weights go: into files of their own always, never, or where they were. */
export type WeightPlacement = 'auto' | 'always' | 'never';

/** How a model is written. */
export interface WriteOptions {
  readonly externalData: WeightPlacement;
  /** Whether an existing model is replaced. */
  readonly force: boolean;
  readonly signal: AbortSignal;
}

/** What was written. */
export interface WrittenFiles {
  /** The folder that is the model; `null` where its files are told one by one. */
  readonly folder: string | null;
  readonly files: readonly string[];
  /** Of all files. */
  readonly byteLength: number;
  /** What was not taken over from the original, and why. */
  readonly notices: readonly string[];
}
