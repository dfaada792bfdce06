import { cutWeights } from './cut-weights.js';
import type { StoredWeight } from './model.js';
import { TfjsModel } from './model.js';
import type { WeightGroup } from './model-json.js';
import { parseModelJson } from './model-json.js';
import type { NodeModules } from './node-modules.js';
import { nodeModules } from './node-modules.js';
import { otherFormat } from './other-formats.js';
import { quoted, TfjsFileError } from './tfjs-file-error.js';
import { fixedByteLength } from './weight-bytes.js';

/** How to read a model. */
export interface ReadOptions {
  /** Stops the reading. */
  readonly signal?: AbortSignal;
}

/** No topology is that long, and no string can be much longer. */
const LONGEST_JSON = 2 ** 28;

/**
 * Reads a model from its `model.json` and the weight files beside it, in Node. Elsewhere `loadModel` does, from a URL.
 *
 * @param path - of the `model.json`, whatever its name, or of the folder that holds one.
 * @returns the model; also an `IOHandler` that `tf.loadGraphModel` or `tf.loadLayersModel` takes.
 * @throws TfjsFileError where a file is missing, is something else, is damaged, or the weights do not fit the list.
 */
export async function readModel(path: string, { signal }: ReadOptions = {}): Promise<TfjsModel> {
  const node = nodeModules(path);
  const file = await modelJsonPath(node, path);
  const { size } = await fileStats(node, file, file);
  if (size > LONGEST_JSON) {
    const what = `is ${size} bytes long, too much for the model.json of TensorFlow.js`;
    throw new TfjsFileError(file, 'not-tfjs', what, 'Name the model.json, not a file of weights');
  }
  const { format, fields, groups } = parseModelJson(await readText(node, file, signal), file);
  const weights: StoredWeight[] = [];
  for (const group of groups) weights.push(...(await readGroup(node, file, group, signal)));
  return new TfjsModel(path, format, fields, weights, await node.fs.promises.realpath(file));
}

async function modelJsonPath(node: NodeModules, path: string): Promise<string> {
  const stats = await fileStats(node, path, path, true);
  return stats.isDirectory() ? node.path.join(path, 'model.json') : path;
}

async function readText(node: NodeModules, file: string, signal: AbortSignal | undefined): Promise<string> {
  try {
    return await node.fs.promises.readFile(file, { encoding: 'utf8', ...(signal && { signal }) });
  } catch (cause) {
    signal?.throwIfAborted();
    throw unreadable(file, file, cause);
  }
}

/** The weights of a group, each a view of its file, or a copy where it goes from one file into the next. */
async function readGroup(
  node: NodeModules,
  file: string,
  { paths, weights }: WeightGroup,
  signal: AbortSignal | undefined,
): Promise<StoredWeight[]> {
  const folder = node.path.dirname(file);
  const files = paths.map((path) => node.path.join(folder, path));
  const sizes: number[] = [];
  for (const shard of files) sizes.push((await fileStats(node, shard, file)).size);
  const found = sizes.reduce((total, size) => total + size, 0);
  // Sizes are compared before anything is read, so that absurd ones cost nothing.
  const fixed = weights.map((spec) => fixedByteLength(spec, file));
  const least = fixed.reduce<number>((total, length) => total + (length ?? 0), 0);
  const isExact = !fixed.includes(null);
  if (isExact ? found !== least : found < least) throw await wrongLength(node, file, paths, files, found, least);
  const shards: Uint8Array[] = [];
  for (const [i, shard] of files.entries()) {
    signal?.throwIfAborted();
    const bytes = await node.fs.promises.readFile(shard).catch((cause) => {
      throw unreadable(file, shard, cause);
    });
    if (bytes.byteLength !== sizes[i]) {
      throw new TfjsFileError(
        file,
        'unreadable',
        `its weight file ${quoted(paths[i] ?? '')} changed while it was read`,
      );
    }
    shards.push(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  }
  return cutWeights(file, weights, shards);
}

async function wrongLength(
  node: NodeModules,
  file: string,
  paths: readonly string[],
  files: readonly string[],
  found: number,
  expected: number,
): Promise<TfjsFileError> {
  for (const [i, shard] of files.entries()) {
    const head = await readHead(node, shard);
    const other = otherFormat(head);
    if (other && head !== '') {
      return new TfjsFileError(
        file,
        'weights',
        `its weight file ${quoted(paths[i] ?? '')} ${other.what}`,
        other.remedy,
      );
    }
  }
  return new TfjsFileError(
    file,
    'weights',
    `its weight files ${paths.length === 1 ? quoted(paths[0] ?? '') : `(${paths.length} of them)`} hold ${found} bytes, ` +
      `but the weights it lists take ${expected}`,
    'Download the model again, with all its weight files',
  );
}

async function readHead(node: NodeModules, file: string): Promise<string> {
  const handle = await node.fs.promises.open(file);
  try {
    const { buffer, bytesRead } = await handle.read(new Uint8Array(512), 0, 512, 0);
    return String.fromCharCode(...buffer.subarray(0, bytesRead));
  } finally {
    await handle.close();
  }
}

async function fileStats(node: NodeModules, path: string, model: string, mayBeFolder = false) {
  const stats = await node.fs.promises.stat(path).catch((cause) => {
    throw unreadable(model, path, cause);
  });
  if (stats.isFile() || (mayBeFolder && stats.isDirectory())) return stats;
  const what = path === model ? 'it is no file' : `its weight file ${quoted(path)} is no file`;
  throw new TfjsFileError(model, 'unreadable', what, 'Name the model.json, or the folder that holds it');
}

function unreadable(model: string, path: string, cause: unknown): TfjsFileError {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  const reason = code === 'ENOENT' ? 'does not exist' : `cannot be read (${String(code ?? cause)})`;
  if (path === model) return new TfjsFileError(model, 'unreadable', `it ${reason}`, 'Check the path', { cause });
  const remedy = 'Download the model again, with all its weight files';
  return new TfjsFileError(model, 'weights', `its weight file ${quoted(path)} ${reason}`, remedy, { cause });
}
