import { inTurn } from '@mhe/onnx';
import { libraryMajor, type TransformersLibrary } from './library.js';
import type { NodeModules } from './node-modules.js';

/** Options that make any version load from a folder, in fp32, and from nowhere else. */
const FROM_FOLDER = { local_files_only: true, dtype: 'fp32', quantized: false } as const;

/**
 * Lets the library load from a folder of the file system: gives `use` the id to ask for, and the options. The library's
 * settings are as before afterwards; who sets them waits for its turn, as each puts back what it found. Meanwhile nothing is read from its caches, where another model may have that id.
 */
export function withLocalFolder<T>(
  node: NodeModules,
  library: TransformersLibrary,
  folder: string,
  use: (id: string, options: object) => Promise<T>,
): Promise<T> {
  return inTurn(library.env, () => useLocalFolder(node, library, folder, use));
}

async function useLocalFolder<T>(
  { path }: NodeModules,
  library: TransformersLibrary,
  folder: string,
  use: (id: string, options: object) => Promise<T>,
): Promise<T> {
  const { env } = library;
  const { allowLocalModels, localModelPath, useFSCache, useBrowserCache, useCustomCache } = env;
  const absolute = path.resolve(folder);
  // Version 2 looks for every id below its folder of models; later ones take a path as it is.
  const isBelow = libraryMajor(library) === 2;
  Object.assign(env, { allowLocalModels: true, useFSCache: false, useBrowserCache: false, useCustomCache: false });
  if (isBelow) env.localModelPath = `${path.dirname(absolute)}${path.sep}`;
  try {
    return await use(isBelow ? path.basename(absolute) : absolute, { ...FROM_FOLDER });
  } finally {
    Object.assign(env, { allowLocalModels, localModelPath, useFSCache, useBrowserCache, useCustomCache });
  }
}
