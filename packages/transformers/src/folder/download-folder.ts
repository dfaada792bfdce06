import { checkOptionNames } from '@mhe/onnx';
import { importLibrary } from '../library/import-library.js';
import { interruptible } from '../library/interruptible.js';
import type { PretrainedClass, TransformersLibrary } from '../library/library.js';
import { type FileStore, openStore } from '../load/file-store.js';
import { floatOptions } from '../load/float-options.js';
import type { Disposable } from '../load/known-load.js';
import { HUB_OPTIONS, type HubOptions, hubOptions, type LibraryOptions, loadsOf } from '../load/load-options.js';
import { loadFiles, loadNoting } from '../load/loaded-files.js';
import { ModelFolderError } from '../model-folder-error.js';
import { checkFileOptions } from './check-file-options.js';
import { checkFloatName } from './check-floats.js';
import { type Dtype, fileName } from './dtype.js';
import { ONNX_FOLDER, requireNode } from './model-folder.js';

/** Options of {@link downloadFolder}. */
export interface DownloadOptions extends HubOptions {
  /** The module of transformers.js. Default: what the project has installed. */
  readonly library?: TransformersLibrary;
  /** Which model files, by the names that transformers.js has for them (`text_model`). Default: those that `AutoModel` loads. */
  readonly files?: 'all' | readonly string[];
  /** Which dtypes of these. Default: fp32. */
  readonly dtypes?: readonly Dtype[];
  /** Ends the download. Versions 2 and 3 have no place for it: there it goes on behind, but nobody waits. */
  readonly signal?: AbortSignal;
}

/** A model of the hub in the library's file cache. */
export interface DownloadedFolder {
  /** As on the hub: `Xenova/all-MiniLM-L6-v2`. */
  readonly id: string;
  readonly revision: string;
  /** Where the library keeps it. Other revisions and swapped files may lie there too. */
  readonly folder: string;
  /** The files of the model, by their paths below the folder, in order. */
  readonly files: readonly string[];
}

const OPTIONS = ['library', 'files', 'dtypes', 'signal', ...HUB_OPTIONS];

/**
 * Has the library bring a model of the hub into its own file cache: configuration, fp32 model files, and the tokenizer and
 * processor where it has them. What is there already is not downloaded again. In Node.
 *
 * @param id - as the library takes it: `Xenova/all-MiniLM-L6-v2`.
 * @returns what `swapFolder` and `inspectFolder` take for a folder.
 * @throws ModelFolderError where there is no such model, a file is missing or may not be read, there is no network, or the
 *   library is set to keep no files; the signal's reason where it is aborted.
 */
export async function downloadFolder(id: string, options: DownloadOptions = {}): Promise<DownloadedFolder> {
  const node = requireNode(id);
  const { library: given, files: names = 'all', dtypes = ['fp32'], signal } = options;
  checkOptionNames(options, OPTIONS);
  checkFileOptions(names, dtypes);
  const library = given ?? (await importLibrary());
  for (const dtype of dtypes) checkFloatName(`${ONNX_FOLDER}/${fileName({ base: 'model', dtype })}`);
  const loading = hubOptions(options);
  const store = await openStore(library, id, loading);
  const { folder } = store;
  if (folder === null) {
    const what = 'transformers.js is set to keep models in another cache than files';
    throw new ModelFolderError(id, 'unsupported', what, 'Set env.useFSCache, and no env.useCustomCache');
  }
  const files = new Set<string>();
  await interruptible(library, signal, async () => {
    const note = (file: string) => files.add(file);
    const load = (settings: LibraryOptions) => library.AutoModel.from_pretrained(id, settings) as Promise<Disposable>;
    for (const dtype of dtypes) {
      const settings = floatOptions(library, id, { ...loading, dtype });
      await loadFiles(library, store, id, loadsOf(settings, names), load, note);
    }
    for (const part of [library.AutoTokenizer, library.AutoProcessor])
      await loadPart(library, store, id, loading, part, note);
  });
  const isCached = node.fs.existsSync(node.path.join(folder.cached, 'config.json'));
  return {
    id,
    revision: options.revision ?? 'main',
    folder: node.path.resolve(isCached ? folder.cached : folder.local),
    files: [...files].sort(),
  };
}

/** Loads a tokenizer or processor for its files, where the model has one that this library can load. */
async function loadPart(
  library: TransformersLibrary,
  store: FileStore,
  id: string,
  options: LibraryOptions,
  part: PretrainedClass,
  onFile: (file: string) => void,
): Promise<void> {
  try {
    await loadNoting(library, store, id, options, (settings) => part.from_pretrained(id, settings), onFile);
  } catch (error) {
    const isWithheld = error instanceof ModelFolderError && error.problem !== 'unreadable';
    // The system's errors have a code: the cache cannot be written.
    if (isWithheld || (error as { code?: unknown }).code !== undefined) throw error;
  }
}
