import { libraryMajor, type TransformersLibrary } from '../library/library.js';
import { type NodeModules, nodeModules } from '../library/node-modules.js';
import { ModelFolderError } from '../model-folder-error.js';
import type { LibraryOptions } from './load-options.js';
import { type ModelAddress, modelAddress } from './model-address.js';

/** The library's cache of one model's files, and the local files that it takes before those of the hub. */
export interface FileStore {
  /** Folders that hold the files as the hub has them, where the cache is one of files. */
  readonly folder: { readonly cached: string; readonly local: string } | null;
  /** The content of a file in the library's cache, `null` where it is not there. */
  cached(file: string): Promise<Uint8Array | null>;
  /** Whether a file is in the library's cache. */
  has(file: string): Promise<boolean>;
  /** The content of a file in the library's cache or of a local model, `null` where there is none. */
  read(file: string): Promise<Uint8Array | null>;
  /** Checks, before long work, that files can be put there, as far as that can be told. */
  checkWritable(): Promise<void>;
  /** Puts a file into the library's cache, whole or not at all. */
  write(file: string, bytes: Uint8Array): Promise<void>;
  /**
   * What changes when a local file does; `null` for files of the hub, which a revision names; `undefined` where it cannot be
   * told now, as without a network.
   */
  stamp(file: string): Promise<string | null | undefined>;
}

/** What the library asks of a cache: the Cache API's, or a user's own, which may answer with a path. */
interface WebCache {
  match(key: string): Promise<unknown>;
  put(key: string, response: Response): Promise<unknown>;
}

/**
 * Opens the cache that the library would use for a model: the user's own, the browser's, or that in files.
 *
 * @throws ModelFolderError where the library is set to use none, so that a swapped model could not be kept.
 */
export async function openStore(library: TransformersLibrary, id: string, options: LibraryOptions): Promise<FileStore> {
  const { env } = library;
  const address = modelAddress(library, id, options);
  const node = nodeModules();
  const stamp = (file: string) => stampOf(node, address.local(file), env.allowLocalModels);
  const custom = () => (env.useCustomCache ? webStore(env.customCache as WebCache, address, node, stamp) : null);
  // Version 2 takes a user's own cache last.
  const first = libraryMajor(library) > 2 ? custom() : null;
  if (first !== null) return first;
  if (env.useBrowserCache) {
    const { cacheKey } = env as { cacheKey?: string };
    return webStore(await caches.open(cacheKey ?? 'transformers-cache'), address, node, stamp);
  }
  if (env.useFSCache && node !== null)
    return folderStore(options.cache_dir ?? env.cacheDir ?? '', address, node, stamp);
  const last = custom();
  if (last !== null) return last;
  const what = 'transformers.js is set to use no cache, where the swapped model is kept';
  const remedy = 'Set env.useFSCache (Node), env.useBrowserCache or env.customCache';
  throw new ModelFolderError(id, 'unsupported', what, remedy);
}

function webStore(
  cache: WebCache,
  address: ModelAddress,
  node: NodeModules | null,
  stamp: FileStore['stamp'],
): FileStore {
  const match = async (key: string) => {
    // Caches of browsers throw for keys that are no addresses.
    const found = await cache.match(key).catch(() => undefined);
    if (typeof found === 'string') return (await node?.fs.promises.readFile(found)) ?? null;
    return found === undefined ? null : bytesOf(found as Response);
  };
  return {
    folder: null,
    cached: (file) => match(address.remote(file)),
    has: async (file) => (await cache.match(address.remote(file)).catch(() => undefined)) != null,
    read: async (file) =>
      (await match(address.local(file))) ?? (await match(address.remote(file))) ?? (await local(node, address, file)),
    async checkWritable() {},
    async write(file, bytes) {
      const headers = { 'content-length': String(bytes.byteLength), 'content-type': 'application/octet-stream' };
      const place = address.remote(file);
      await cache.put(place, new Response(bytes as Uint8Array<ArrayBuffer>, { headers })).catch((cause) => {
        const what = `the cache does not take it (${cause instanceof Error ? cause.message : cause})`;
        throw new ModelFolderError(place, 'unwritable', what, 'Make space in it, or set another one in env', { cause });
      });
    },
    stamp,
  };
}

function folderStore(folder: string, address: ModelAddress, node: NodeModules, stamp: FileStore['stamp']): FileStore {
  const { access, mkdir, readFile, rename, rm, writeFile } = node.fs.promises;
  const place = (file: string) => node.path.join(folder, address.cached(file));
  const cached = (file: string) => readFile(place(file)).catch(() => null);
  return {
    folder: { cached: place(''), local: address.local('') },
    cached,
    has: async (file) => node.fs.existsSync(place(file)),
    read: async (file) => (await cached(file)) ?? local(node, address, file),
    async checkWritable() {
      let existing = node.path.resolve(place(''));
      while (!node.fs.existsSync(existing)) existing = node.path.dirname(existing);
      await access(existing, node.fs.constants.W_OK).catch((cause) => {
        throw unwritable(existing, cause);
      });
    },
    async write(file, bytes) {
      const target = place(file);
      const temporary = `${target}.${crypto.randomUUID()}.tmp`;
      try {
        await mkdir(node.path.dirname(target), { recursive: true });
        await writeFile(temporary, bytes);
        await rename(temporary, target);
      } catch (cause) {
        throw unwritable(target, cause);
      } finally {
        // What went wrong before it matters more.
        await rm(temporary, { force: true }).catch(() => {});
      }
    },
    stamp,
  };
}

function unwritable(place: string, cause: unknown): ModelFolderError {
  const code = (cause as { code?: string }).code ?? String(cause);
  const remedy = 'Check its space and permissions, or set env.cacheDir';
  return new ModelFolderError(place, 'unwritable', `it cannot be written (${code})`, remedy, { cause });
}

/** A file of a local model: of the file system, or of the page's own server. */
async function local(node: NodeModules | null, address: ModelAddress, file: string): Promise<Uint8Array | null> {
  const place = address.local(file);
  if (node !== null) return node.fs.promises.readFile(place).catch(() => null);
  const response = await fetch(place).catch(() => null);
  return response?.ok ? bytesOf(response) : null;
}

async function stampOf(node: NodeModules | null, place: string, isLocalAllowed: boolean) {
  if (!isLocalAllowed) return null;
  if (node !== null) {
    const info = await node.fs.promises.stat(place).catch(() => null);
    return info && `${info.size} ${info.mtimeMs}`;
  }
  const response = await fetch(place, { method: 'HEAD' }).catch(() => undefined);
  if (!response?.ok) return response && null;
  const told = ['etag', 'last-modified', 'content-length'].map((name) => response.headers.get(name));
  return [place, ...told].join(' ');
}

async function bytesOf(response: Response): Promise<Uint8Array> {
  return new Uint8Array(await response.arrayBuffer());
}
