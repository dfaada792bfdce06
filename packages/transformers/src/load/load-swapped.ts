import { encodeModel, type OrtRuntime, readModel, type SwapReport } from '@mhe/onnx';
import { modelEncoder } from '../calibration/encoder.js';
import { checkFp32Name, checkNotQuantised } from '../folder/check-fp32.js';
import type { TransformersLibrary } from '../library/library.js';
import { runtimeOf } from '../library/runtime.js';
import { ModelFolderError } from '../model-folder-error.js';
import { type ReadOptions, readOptions, swapFile } from '../swap-file.js';
import { type FileStore, openStore } from './file-store.js';
import { fp32Options } from './fp32-options.js';
import type { LibraryOptions, MheLoadOptions } from './load-options.js';
import { progressOfOriginal, progressOfSwapped } from './progress.js';
import { optionsForSwapped, splitPath, swappedFolderName, swappedPath } from './swapped-place.js';

/** A load of the library: a model class's `from_pretrained`, or `pipeline` of one task. */
export interface Load<Loaded> {
  /** Tells loads of one model that need different files apart: the class or the task. */
  readonly name: string;
  readonly id: string;
  /** Loads the model from the place that the options name. */
  run(options: LibraryOptions): Promise<Loaded>;
  /** The model in what was loaded. */
  modelOf(loaded: Loaded): unknown;
}

/** What is written down, once its files are all there, of a load that was swapped. */
interface Record {
  readonly stamps: { readonly [file: string]: string | null };
  readonly reports: { readonly [file: string]: SwapReport };
}

/**
 * Loads a model with its attention swapped. The first time the original is loaded, swapped in the library's own runtime, put
 * into the library's own cache in a folder beside the original's, and loaded from there; later only the last is done.
 */
export async function loadSwapped<Loaded extends { dispose(): Promise<unknown> }>(
  library: TransformersLibrary,
  load: Load<Loaded>,
  given: LibraryOptions,
  { onReport, ...mhe }: MheLoadOptions,
): Promise<Loaded> {
  const settings = readOptions(mhe);
  const options = fp32Options(library, load.id, given);
  const store = await openStore(library, load.id, options);
  const folderName = await swappedFolderName(load.id, settings);
  const recordPath = swappedPath(`${options.subfolder ?? 'onnx'}/${load.name}.json`, folderName);
  const cached = await readRecord(store, recordPath);
  const record = cached ?? (await swapLoad(library, load, options, settings, { store, folderName, recordPath }));
  onReport?.({ files: record.reports, fromCache: cached !== null });
  const originals = Object.keys(record.reports);
  const swappedOptions = optionsForSwapped(library, load.id, options, originals, folderName);
  const { progress_callback: callback } = options;
  const progress = callback && { progress_callback: progressOfSwapped(callback, originals) };
  return load.run({ ...swappedOptions, ...progress });
}

/** What an earlier load wrote down, unless a local file has changed since. */
async function readRecord(store: FileStore, path: string): Promise<Record | null> {
  const bytes = await store.cached(path);
  if (bytes === null) return null;
  const record: Record = JSON.parse(new TextDecoder().decode(bytes));
  for (const [file, stamp] of Object.entries(record.stamps)) {
    if ((await store.stamp(file)) !== stamp) return null;
  }
  return record;
}

interface Place {
  readonly store: FileStore;
  readonly folderName: string;
  readonly recordPath: string;
}

async function swapLoad<Loaded extends { dispose(): Promise<unknown> }>(
  library: TransformersLibrary,
  load: Load<Loaded>,
  options: LibraryOptions,
  settings: ReadOptions,
  { store, folderName, recordPath }: Place,
): Promise<Record> {
  const { files, runtime } = await loadOriginal(library, load, options);
  const models = files.filter((file) => file.endsWith('.onnx'));
  // Before the work: version 2 has a place for one file only.
  optionsForSwapped(library, load.id, options, models, folderName);
  const { dtype: _, quantized: __, subfolder: ___, model_file_name: ____, progress_callback: _____, ...rest } = options;
  const encoder = modelEncoder(library, (pretrained) => pretrained.from_pretrained(load.id, { ...rest }));
  const stamps: { [file: string]: string | null } = {};
  const reports: { [file: string]: SwapReport } = {};
  for (const file of models) {
    const model = await readStored(store, file, files);
    checkNotQuantised(model);
    const { model: swapped, report } = await swapFile(model, settings, encoder, async () => runtime);
    if (report.swapped.length === 0) {
      const what = `no attention in it was swapped (${report.skipped[0]?.reason ?? 'there is none, or `sites` matches none'})`;
      throw new ModelFolderError(`${load.id}/${file}`, 'unsupported', what, 'Load the model without mhe');
    }
    const { bytes, externalData } = encodeModel(swapped, { dataName: `${splitPath(file).name}_data` });
    for (const [name, data] of externalData)
      await store.write(swappedPath(`${splitPath(file).folder}/${name}`, folderName), data);
    await store.write(swappedPath(file, folderName), bytes);
    stamps[file] = await store.stamp(file);
    reports[file] = report;
  }
  const record: Record = { stamps, reports };
  await store.write(recordPath, new TextEncoder().encode(JSON.stringify(record)));
  return record;
}

/** Loads the original once, for its files to be in the library's cache: which ones, and the runtime it is in. */
async function loadOriginal<Loaded extends { dispose(): Promise<unknown> }>(
  library: TransformersLibrary,
  load: Load<Loaded>,
  options: LibraryOptions,
): Promise<{ files: string[]; runtime: OrtRuntime }> {
  const files = new Set<string>();
  const progress_callback = progressOfOriginal(options.progress_callback ?? null, (file) => {
    if (isModelFile(file)) files.add(file);
  });
  const loaded = await load.run({ ...options, progress_callback });
  const runtime = runtimeOf(library, load.modelOf(loaded));
  await loaded.dispose();
  for (const file of files) if (file.endsWith('.onnx')) checkFp32Name(file);
  return { files: [...files].sort(), runtime };
}

function isModelFile(file: string): boolean {
  return /\.onnx(_data(_\d+)?)?$/.test(file);
}

/** Reads a model out of the cache, with the weights beside it that the library loaded too. */
async function readStored(store: FileStore, file: string, files: readonly string[]) {
  const beside = files.filter((each) => each.startsWith(`${file}_data`));
  const externalData = Object.fromEntries(
    await Promise.all(beside.map(async (path) => [splitPath(path).name, await readFile(store, path)] as const)),
  );
  return readModel(await readFile(store, file), { name: file, externalData });
}

async function readFile(store: FileStore, file: string): Promise<Uint8Array> {
  const bytes = await store.read(file);
  if (bytes !== null) return bytes;
  const what = 'transformers.js loaded it, and it is not in its cache';
  throw new ModelFolderError(file, 'unreadable', what, 'Check env.cacheDir, or the space that the browser grants');
}
