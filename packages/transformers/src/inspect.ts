import { checkOptionNames } from '@mhe/onnx';
import { checkFileOptions } from './folder/check-file-options.js';
import { chooseFiles } from './folder/choose-files.js';
import { fileKind } from './folder/dtype.js';
import {
  type FolderInspection,
  type FolderInspectOptions,
  INSPECT_OPTIONS,
  inspectFolder,
} from './folder/inspect-folder.js';
import { type InspectedFile, inspectedFile } from './folder/inspected-file.js';
import type { ModelFile } from './folder/model-folder.js';
import { importLibrary } from './library/import-library.js';
import { interruptible } from './library/interruptible.js';
import type { TransformersLibrary } from './library/library.js';
import { nodeModules } from './library/node-modules.js';
import { type FileStore, openStore } from './load/file-store.js';
import { floatOptions } from './load/float-options.js';
import { type Disposable, type KnownLoad, knownLoad } from './load/known-load.js';
import { HUB_OPTIONS, type HubOptions, hubOptions, type LibraryOptions, loadsOf } from './load/load-options.js';
import { loadFiles, readLoaded, readStored } from './load/loaded-files.js';
import { ModelFolderError } from './model-folder-error.js';
import { splitPath } from './split-path.js';

/** What {@link inspect} may be told. */
export interface ModelInspectOptions extends FolderInspectOptions, HubOptions {
  /** The module of transformers.js, for an id. Default: what the project has installed; in a browser it has to be given. */
  readonly library?: TransformersLibrary;
}

/**
 * Shows a model's files, and of each its attention, what is left alone and why, its parameters and its cache per token.
 *
 * Of an id, the library itself downloads the files into its own cache, or takes them from there. They are those that
 * `AutoModel` loads in fp32, or those that `files` names. A loaded model's files are loaded again for that, from the
 * cache; they are shown in the dtype that they have.
 *
 * @param model - a folder that holds `config.json` and `onnx/` (in Node); an id; or a model or pipeline that `withMhe` loaded,
 *   swapped or not. The library's own models tell neither their id nor their files, so others are refused.
 * @throws ModelFolderError where there is no such model, a file is missing or may not be read, or nothing is known of a loaded
 *   model; OnnxFileError where a file is damaged; RangeError where `numHeads` disagrees with a graph.
 */
export async function inspect(model: string | object, options: ModelInspectOptions = {}): Promise<FolderInspection> {
  checkOptionNames(options, [...INSPECT_OPTIONS, 'library', ...HUB_OPTIONS]);
  if (typeof model !== 'string') {
    const load = loadOf(model);
    return inspectLoad(load, [load.options], options);
  }
  if (nodeModules()?.fs.existsSync(model)) return inspectFolder(model, folderOptions(options));
  const { library: given, files = 'all' } = options;
  checkFileOptions(files, null);
  const library = given ?? (await importLibrary());
  const loading = floatOptions(library, model, hubOptions(options));
  const run = (settings: LibraryOptions) => library.AutoModel.from_pretrained(model, settings) as Promise<Disposable>;
  return inspectLoad({ library, id: model, options: loading, run }, loadsOf(loading, files), options);
}

/** Those that a folder has a use for. */
function folderOptions({ files, signal, numHeads }: ModelInspectOptions): FolderInspectOptions {
  return {
    ...(files !== undefined && { files }),
    ...(signal !== undefined && { signal }),
    ...(numHeads !== undefined && { numHeads }),
  };
}

function loadOf(model: object): KnownLoad {
  const load = knownLoad(model);
  if (load !== undefined) return load;
  const what = 'it was not loaded through withMhe, and transformers.js does not tell the files of a model';
  throw new ModelFolderError('inspect', 'unsupported', what, 'Give the id or the folder, or load it with withMhe');
}

async function inspectLoad(
  { library, id, run }: KnownLoad,
  loads: readonly LibraryOptions[],
  { files: names = 'all', signal, progress_callback = null, numHeads }: ModelInspectOptions,
): Promise<FolderInspection> {
  const store = await openStore(library, id, loads[0] ?? {});
  const loaded = await interruptible(library, signal, () =>
    loadFiles(
      library,
      store,
      id,
      loads.map((options) => ({ ...options, progress_callback })),
      run,
    ),
  );
  const kinds = loaded
    .filter((path) => path.endsWith('.onnx'))
    .map((path) => ({ path, ...fileKind(splitPath(path).name) }));
  const chosen = names === 'all' ? kinds : chooseFiles({ folder: id, files: kinds }, names);
  const files: ModelFile[] = [];
  const inspected: InspectedFile[] = [];
  for (const kind of kinds) {
    signal?.throwIfAborted();
    const bytes = await readStored(store, kind.path);
    const file = { ...kind, byteLength: bytes.byteLength };
    files.push(file);
    if (!chosen.includes(kind)) continue;
    const model = await readLoaded(store, file.path, loaded, bytes);
    inspected.push(inspectedFile(file, model, numHeads === undefined ? {} : { numHeads }));
  }
  return { modelType: await modelType(store), files, inspected };
}

async function modelType(store: FileStore): Promise<string> {
  const config: { model_type?: string } = JSON.parse(new TextDecoder().decode(await readStored(store, 'config.json')));
  return config.model_type ?? '';
}
