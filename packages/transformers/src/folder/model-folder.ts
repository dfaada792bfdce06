import type { NodeModules } from '../library/node-modules.js';
import { nodeModules } from '../library/node-modules.js';
import { ModelFolderError } from '../model-folder-error.js';
import type { DownloadedFolder } from './download-folder.js';
import { type Dtype, fileKind } from './dtype.js';

/** An `.onnx` file of a model folder. */
export interface ModelFile {
  /** Below the folder, with `/`: `onnx/model.onnx`. */
  readonly path: string;
  /** What transformers.js calls it, whatever the dtype: `model`. */
  readonly base: string;
  readonly dtype: Dtype;
  readonly byteLength: number;
}

/** A folder as transformers.js reads it. */
export interface ModelFolder {
  readonly folder: string;
  /** What it is called: the name of the folder, or the id on the hub. */
  readonly name: string;
  /** The id and revision of a model of the hub; `null` where it came from a folder. */
  readonly hub: { readonly id: string; readonly revision: string } | null;
  /** Whether something below the folder belongs to the model: in the library's cache others may lie beside. */
  owns(path: string): boolean;
  /** The content of `config.json`. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly modelType: string;
  /** In the order of their paths. */
  readonly files: readonly ModelFile[];
}

/** Where transformers.js looks for model files. */
export const ONNX_FOLDER = 'onnx';

/** Node's modules, for work that needs a file system. */
export function requireNode(folder: string): NodeModules {
  const node = nodeModules();
  if (node !== null) return node;
  const what = 'folders can be opened only in Node 20.16 and later';
  throw new ModelFolderError(folder, 'unreadable', what, 'In a browser, load the model with withMhe');
}

/**
 * Reads what is in a model folder; no model file is opened.
 *
 * @throws ModelFolderError where it is no folder of a transformers.js model.
 */
export async function readFolder(node: NodeModules, from: string | DownloadedFolder): Promise<ModelFolder> {
  const { path } = node;
  const folder = folderOf(from);
  const downloaded = typeof from === 'string' ? null : from;
  const owns = (file: string) =>
    downloaded === null || downloaded.files.some((each) => each === file || each.startsWith(`${file}/`));
  const { readdir, readFile, stat } = node.fs.promises;
  const info = await stat(folder).catch(() => null);
  if (info === null) {
    throw new ModelFolderError(
      folder,
      'unreadable',
      'there is no such folder',
      'Name the folder of a downloaded model',
    );
  }
  if (!info.isDirectory()) {
    throw new ModelFolderError(
      folder,
      'not-a-model',
      'it is a file',
      'Name the folder that holds config.json and onnx/',
    );
  }
  const configFile = path.join(folder, 'config.json');
  const text = await readFile(configFile, 'utf8').catch((cause) => {
    const what = 'it has no config.json, so it is no model of transformers.js';
    throw new ModelFolderError(folder, 'not-a-model', what, 'Name the folder that holds config.json and onnx/', {
      cause,
    });
  });
  const config = parseConfig(text, configFile);
  const names = await readdir(path.join(folder, ONNX_FOLDER)).catch(() => []);
  const models = names.filter((name) => name.endsWith('.onnx') && owns(`${ONNX_FOLDER}/${name}`)).sort();
  if (models.length === 0) {
    const what = `it has no ${ONNX_FOLDER}/*.onnx`;
    throw new ModelFolderError(folder, 'not-a-model', what, 'Convert the model to ONNX as transformers.js asks for');
  }
  const files = models.map(async (name): Promise<ModelFile> => {
    const { size } = await stat(path.join(folder, ONNX_FOLDER, name));
    return { path: `${ONNX_FOLDER}/${name}`, ...fileKind(name), byteLength: size };
  });
  return {
    folder,
    name: downloaded?.id ?? path.basename(path.resolve(folder)),
    hub: downloaded && { id: downloaded.id, revision: downloaded.revision },
    owns,
    config,
    modelType: config.model_type,
    files: await Promise.all(files),
  };
}

/** The path of a folder that was named, or downloaded. */
export function folderOf(from: string | DownloadedFolder): string {
  return typeof from === 'string' ? from : from.folder;
}

function parseConfig(text: string, file: string): Record<string, unknown> & { model_type: string } {
  const remedy = 'Take the config.json of the model as it was published';
  let config: unknown;
  try {
    config = JSON.parse(text);
  } catch (cause) {
    throw new ModelFolderError(file, 'not-a-model', 'it is no JSON', remedy, { cause });
  }
  if (
    typeof config === 'object' &&
    config !== null &&
    'model_type' in config &&
    typeof config.model_type === 'string'
  ) {
    return config as Record<string, unknown> & { model_type: string };
  }
  throw new ModelFolderError(file, 'not-a-model', 'it names no model_type, so transformers.js cannot load it', remedy);
}
