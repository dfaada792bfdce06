import { encodeModel, type OnnxSwapResult, type OrtRuntime, type SwapReport } from '@mhe/onnx';
import { modelEncoder } from '../calibration/encoder.js';
import { type EncoderFile, startToken } from '../calibration/encoder-file.js';
import { loadReader } from '../calibration/load-reader.js';
import { checkFloatName, checkNotQuantised, checkRuns } from '../folder/check-floats.js';
import { fileKind } from '../folder/dtype.js';
import { encodersFirst, isEncoder, noStart } from '../folder/encoder-file-of.js';
import type { TransformersLibrary } from '../library/library.js';
import { runtimeOf } from '../library/runtime.js';
import { ModelFolderError } from '../model-folder-error.js';
import { splitPath } from '../split-path.js';
import { type ReadOptions, readOptions, swapFile } from '../swap-file.js';
import { type FileStore, openStore } from './file-store.js';
import { floatOptions } from './float-options.js';
import { type Disposable, rememberLoad } from './known-load.js';
import type { LibraryOptions, MheLoadOptions } from './load-options.js';
import { isModelFile, loadNoting, readLoaded } from './loaded-files.js';
import { progressOfSwapped } from './progress.js';
import { readLoadFiles, readSwapRecord, type SwapRecord, writeLoadFiles, writeSwapRecord } from './swap-record.js';
import { optionsForSwapped, swappedFolderName, swappedPath } from './swapped-place.js';
import { warnOfNotices } from './warn-of-notices.js';

/** A load of the library: a model class's `from_pretrained`, or `pipeline` of one task. */
export interface Load<Loaded> {
  /** The class or the task. */
  readonly name: string;
  readonly id: string;
  /** Loads the model from the place that the options name. */
  run(options: LibraryOptions): Promise<Loaded>;
  /** The model in what was loaded. */
  modelOf(loaded: Loaded): unknown;
}

/**
 * Loads a model with its attention swapped. The first time the original is loaded, swapped in the library's own runtime, put
 * into the library's own cache in a folder beside the original's, and loaded from there; later only the last is done.
 */
export async function loadSwapped<Loaded extends Disposable>(
  library: TransformersLibrary,
  load: Load<Loaded>,
  given: LibraryOptions,
  { onReport = (report) => warnOfNotices(load.id, report), ...mhe }: MheLoadOptions,
): Promise<Loaded> {
  const settings = readOptions(mhe, ['onReport']);
  settings.signal?.throwIfAborted();
  const options = floatOptions(library, load.id, given);
  const store = await openStore(library, load.id, options);
  const folderName = await swappedFolderName(load.id, settings);
  const place = { store, folderName };
  const { record, fromCache } =
    (await readSwapped(load, options, place)) ?? (await swapLoad(library, load, options, settings, place));
  onReport({ files: record.reports, fromCache });
  const originals = Object.keys(record.reports);
  const swappedOptions = optionsForSwapped(library, load.id, options, originals, folderName);
  const { progress_callback: callback } = options;
  const progress = callback && { progress_callback: progressOfSwapped(callback, originals) };
  const loaded = await load.run({ ...swappedOptions, ...progress });
  return rememberLoad(loaded, { library, id: load.id, options: swappedOptions, run: load.run });
}

interface Place {
  readonly store: FileStore;
  readonly folderName: string;
}

/** What was swapped, and whether that was done before. */
interface Swapped {
  readonly record: SwapRecord;
  readonly fromCache: boolean;
}

async function readSwapped(
  load: Pick<Load<never>, 'name'>,
  options: LibraryOptions,
  { store, folderName }: Place,
): Promise<Swapped | null> {
  const files = await readLoadFiles(store, load.name, options, folderName);
  const record = files && (await readSwapRecord(store, files, folderName));
  return record && { record, fromCache: true };
}

async function swapLoad<Loaded extends Disposable>(
  library: TransformersLibrary,
  load: Load<Loaded>,
  options: LibraryOptions,
  settings: ReadOptions,
  { store, folderName }: Place,
): Promise<Swapped> {
  await store.checkWritable();
  const { files, runtime, start } = await loadOriginal(library, store, load, options);
  const models = files.filter((file) => file.endsWith('.onnx'));
  // Before the work: version 2 has a place for one file only.
  optionsForSwapped(library, load.id, options, models, folderName);
  // By another class or task, for which they were swapped already.
  const earlier = await readSwapRecord(store, models, folderName);
  if (earlier !== null) {
    await writeLoadFiles(store, load.name, options, folderName, models);
    return { record: earlier, fromCache: true };
  }
  const { dtype: _, quantized: __, subfolder: ___, model_file_name: ____, progress_callback: _____, ...rest } = options;
  const encoder = modelEncoder(library, (pretrained) =>
    loadReader(library, load.id, pretrained, (reader) => reader.from_pretrained(load.id, { ...rest })),
  );
  const kindOf = (file: string) => fileKind(splitPath(file).name);
  const before = models.find((file) => isEncoder(kindOf(file)));
  let source: EncoderFile | undefined =
    before === undefined
      ? undefined
      : {
          path: before,
          model: () => readLoaded(store, before, files),
          start: async () => start ?? Promise.reject(noStart(load.id)),
        };
  const swapped: { file: string; result: OnnxSwapResult }[] = [];
  for (const file of encodersFirst(models, kindOf)) {
    const model = await readLoaded(store, file, files);
    checkNotQuantised(model);
    const result = await swapFile(model, settings, encoder, async () => runtime, source);
    if (file === source?.path) source = { ...source, model: async () => result.model };
    swapped.push({ file, result });
  }
  checkAnySwapped(load.id, swapped);
  const stamps: { [file: string]: string | null } = {};
  const reports: { [file: string]: SwapReport } = {};
  // The library looks for all of them in one place, so that those without attention go there too.
  for (const { file, result } of swapped) {
    const { folder, name } = splitPath(file);
    const { bytes, externalData } = encodeModel(result.model, { dataName: `${name}_data` });
    for (const [dataName, data] of externalData)
      await store.write(swappedPath(`${folder}/${dataName}`, folderName), data);
    await store.write(swappedPath(file, folderName), bytes);
    stamps[file] = (await store.stamp(file)) ?? null;
    reports[file] = result.report;
  }
  const record = { stamps, reports };
  await writeSwapRecord(store, record, folderName);
  await writeLoadFiles(store, load.name, options, folderName, models);
  return { record, fromCache: false };
}

function checkAnySwapped(id: string, files: readonly { file: string; result: OnnxSwapResult }[]): void {
  if (files.some(({ result }) => result.report.swapped.length > 0)) return;
  const [reason = 'there is none, or `sites` matches none'] = files.flatMap(({ result }) =>
    result.report.skipped.map((site) => site.reason),
  );
  const what = `no attention in ${files.length > 1 ? 'them' : 'it'} was swapped (${reason})`;
  const names = files.map(({ file }) => `${id}/${file}`).join(', ');
  throw new ModelFolderError(names, 'unsupported', what, 'Load the model without mhe');
}

/** Loads the original once, for its files to be in the library's cache: which ones, its runtime, its decoder's start. */
async function loadOriginal<Loaded extends Disposable>(
  library: TransformersLibrary,
  store: FileStore,
  load: Load<Loaded>,
  options: LibraryOptions,
): Promise<{ files: string[]; runtime: OrtRuntime; start: number | undefined }> {
  const files = new Set<string>();
  const loaded = await loadNoting(library, store, load.id, options, load.run, (file) => {
    if (isModelFile(file)) files.add(file);
  });
  const model = load.modelOf(loaded) as { readonly config?: object; readonly generation_config?: object };
  const [runtime, start] = [runtimeOf(library, model), startToken(model.generation_config, model.config)];
  await loaded.dispose();
  for (const file of files) {
    if (!file.endsWith('.onnx')) continue;
    checkFloatName(file);
    checkRuns(library, file);
  }
  return { files: [...files].sort(), runtime, start };
}
