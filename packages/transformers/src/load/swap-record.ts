import type { SwapReport } from '@mhe/onnx';
import { splitPath } from '../split-path.js';
import type { FileStore } from './file-store.js';
import type { LibraryOptions } from './load-options.js';
import { swappedPath } from './swapped-place.js';

/** What is written down of a swap once its files are all there; each by the path of the original's file. */
export interface SwapRecord {
  readonly stamps: { readonly [file: string]: string | null };
  readonly reports: { readonly [file: string]: SwapReport };
}

/**
 * The model files that a load consists of, of an earlier one; `null` where there was none. Loads by other classes or tasks may
 * need the same files, of which there is one {@link SwapRecord}.
 *
 * @param load - the class or the task.
 */
export async function readLoadFiles(
  store: FileStore,
  load: string,
  options: LibraryOptions,
  folderName: string,
): Promise<readonly string[] | null> {
  return readJson(store, loadPath(load, options, folderName));
}

/** Writes down which model files a load consists of. */
export function writeLoadFiles(
  store: FileStore,
  load: string,
  options: LibraryOptions,
  folderName: string,
  files: readonly string[],
): Promise<void> {
  return writeJson(store, loadPath(load, options, folderName), files);
}

/** What an earlier swap of certain files wrote down, unless one is not there any more or a local original has changed since. */
export async function readSwapRecord(
  store: FileStore,
  files: readonly string[],
  folderName: string,
): Promise<SwapRecord | null> {
  const record = await readJson<SwapRecord>(store, swapPath(files, folderName));
  if (record === null) return null;
  for (const [file, stamp] of Object.entries(record.stamps)) {
    if (!(await store.has(swappedPath(file, folderName)))) return null;
    const now = await store.stamp(file);
    if (now !== undefined && now !== stamp) return null;
  }
  return record;
}

/** Writes down a swap. */
export function writeSwapRecord(store: FileStore, record: SwapRecord, folderName: string): Promise<void> {
  return writeJson(store, swapPath(Object.keys(record.stamps), folderName), record);
}

/** Tells loads of one model that need different files apart: by the class or task, the file's name and the dtype. */
function loadPath(load: string, options: LibraryOptions, folderName: string): string {
  const { dtype, model_file_name, subfolder } = options;
  const dtypes = typeof dtype === 'object' && dtype !== null ? Object.entries(dtype).flat() : [dtype];
  const others = [model_file_name, ...dtypes].filter((part) => part && part !== 'fp32');
  const name = [load, ...others].join('.').replace(/[^\w.-]/g, '-');
  return swappedPath(`${subfolder ?? 'onnx'}/${name}.json`, folderName);
}

function swapPath(files: readonly string[], folderName: string): string {
  const names = files.map((file) => splitPath(file).name).sort();
  return swappedPath(`${splitPath(files[0] ?? '').folder}/${names.join('+')}.json`, folderName);
}

async function readJson<Content>(store: FileStore, path: string): Promise<Content | null> {
  const bytes = await store.cached(path);
  return bytes === null ? null : JSON.parse(new TextDecoder().decode(bytes));
}

function writeJson(store: FileStore, path: string, content: unknown): Promise<void> {
  return store.write(path, new TextEncoder().encode(JSON.stringify(content)));
}
