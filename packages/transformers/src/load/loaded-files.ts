import { type OnnxModel, readModel } from '@mhe/onnx';
import type { TransformersLibrary } from '../library/library.js';
import { libraryError } from '../library/library-error.js';
import { ModelFolderError } from '../model-folder-error.js';
import { splitPath } from '../split-path.js';
import type { FileStore } from './file-store.js';
import type { Disposable } from './known-load.js';
import type { LibraryOptions } from './load-options.js';
import { progressOfOriginal } from './progress.js';

/**
 * Lets the library load something, and notes the files of it.
 *
 * @param store - where it keeps them.
 * @param run - the load, with the options that it is given.
 * @param onFile - told of each file as it was read.
 * @returns what was loaded, which is the caller's to dispose.
 * @throws ModelFolderError where a file is missing or may not be read; OnnxFileError where a model file is damaged, or a web
 *   page or a pointer in its place.
 */
export async function loadNoting<Loaded>(
  library: TransformersLibrary,
  store: FileStore,
  id: string,
  options: LibraryOptions,
  run: (options: LibraryOptions) => Promise<Loaded>,
  onFile: (file: string) => void,
): Promise<Loaded> {
  const files: string[] = [];
  const progress_callback = progressOfOriginal(options.progress_callback ?? null, (file) => {
    files.push(file);
    onFile(file);
  });
  try {
    return await run({ ...options, progress_callback });
  } catch (error) {
    const told = libraryError(library, id, error);
    throw told === error ? ((await damageOf(store, id, files)) ?? error) : told;
  }
}

/** What is wrong with the model files that were read, which ONNX Runtime does not tell; `undefined` where nothing is seen. */
async function damageOf(store: FileStore, id: string, files: readonly string[]): Promise<unknown> {
  for (const file of files.filter((each) => each.endsWith('.onnx'))) {
    const bytes = await store.read(file).catch(() => null);
    if (bytes === null) continue;
    try {
      await readModel(bytes, { name: `${id}/${file}` });
    } catch (error) {
      return error;
    }
  }
  return undefined;
}

/**
 * Lets the library load models for their files alone.
 *
 * @param store - where it keeps them.
 * @param loads - the options of each load.
 * @param onFile - told of each file as it was read, also of others.
 * @returns the files of models, and of weights beside them, in order.
 */
export async function loadFiles(
  library: TransformersLibrary,
  store: FileStore,
  id: string,
  loads: readonly LibraryOptions[],
  run: (options: LibraryOptions) => Promise<Disposable>,
  onFile?: (file: string) => void,
): Promise<string[]> {
  const files = new Set<string>();
  for (const options of loads) {
    const loaded = await loadNoting(library, store, id, options, run, (file) => {
      onFile?.(file);
      if (isModelFile(file)) files.add(file);
    });
    await loaded.dispose();
  }
  return [...files].sort();
}

/** Whether a file is a model, or weights beside one. */
export function isModelFile(file: string): boolean {
  return /\.onnx(_data(_\d+)?)?$/.test(file);
}

/**
 * Reads a model that the library loaded out of its cache, with the weights beside it that it loaded too.
 *
 * @param files - all that it loaded.
 * @param bytes - the content of the file, where it was read already.
 */
export async function readLoaded(
  store: FileStore,
  file: string,
  files: readonly string[],
  bytes?: Uint8Array,
): Promise<OnnxModel> {
  const beside = files.filter((each) => each.startsWith(`${file}_data`));
  const externalData = Object.fromEntries(
    await Promise.all(beside.map(async (path) => [splitPath(path).name, await readStored(store, path)] as const)),
  );
  return readModel(bytes ?? (await readStored(store, file)), { name: file, externalData });
}

/**
 * Reads a file that the library loaded.
 *
 * @throws ModelFolderError where it is not in its cache.
 */
export async function readStored(store: FileStore, file: string): Promise<Uint8Array> {
  const bytes = await store.read(file);
  if (bytes !== null) return bytes;
  const what = 'transformers.js loaded it, and it is not in its cache';
  throw new ModelFolderError(file, 'unreadable', what, 'Check env.cacheDir, or the space that the browser grants');
}
