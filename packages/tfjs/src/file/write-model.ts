import type { TfjsModel } from './model.js';
import { parseModelJson } from './model-json.js';
import type { NodeModules } from './node-modules.js';
import { nodeModules } from './node-modules.js';
import { quoted, TfjsFileError } from './tfjs-file-error.js';

/** How to write a model. */
export interface WriteOptions {
  /** Whether a model that is in the folder may be replaced. Default `false`. The model's own files never are. */
  readonly force?: boolean;
  /** Stops the writing and removes what was written. */
  readonly signal?: AbortSignal;
}

/** What was written. */
export interface WrittenModel {
  /** Of the `model.json`. */
  readonly path: string;
  /** Of all files, `model.json` first. */
  readonly files: readonly string[];
  readonly byteLength: number;
}

/** What the converter of TensorFlow.js makes: small enough for every browser's cache. */
const SHARD_BYTES = 4 * 2 ** 20;

/**
 * Writes a model into a folder, in Node: `model.json` and weight files of 4 MiB beside it, which every loader of
 * TensorFlow.js reads. Weights that nobody changed keep their bytes, quantised ones too.
 *
 * Files are written under temporary names and renamed when all are complete, `model.json` last, so that an error or an
 * abort leaves what was there before. Weight files that only a replaced model read are removed; other files stay.
 *
 * @param folder - made where it is missing, in a folder that exists.
 * @throws TfjsFileError where the folder holds a model and `force` is not given, is the one that the model was read
 *   from (`force` or not), holds a file of no model under the name of a weight file, or cannot be written.
 */
export async function writeModel(model: TfjsModel, folder: string, options: WriteOptions = {}): Promise<WrittenModel> {
  const node = nodeModules(folder);
  const { mkdir, rename, rm, writeFile } = node.fs.promises;
  const { force = false, signal } = options;
  const path = node.path.join(folder, 'model.json');
  const temporary = (name: string) => node.path.join(folder, `.${stamp}-${name}.tmp`);
  const stamp = crypto.randomUUID();
  const begun: string[] = [];
  let isNew = false;
  try {
    signal?.throwIfAborted();
    checkFolder(node, model, folder, path, force);
    const stale = await shardsIn(node, path);
    isNew = (await mkdir(folder).catch(existing)) === undefined;
    const { json, shards } = layOut(model);
    const names = [...shards.map(({ name }) => name), 'model.json'];
    checkForeign(node, folder, names, [...stale, 'model.json']);
    const write = async (name: string, content: string | readonly Uint8Array[]) => {
      signal?.throwIfAborted();
      begun.push(temporary(name));
      await writeFile(temporary(name), content, { flag: 'wx' });
    };
    for (const { name, pieces } of shards) await write(name, pieces);
    await write('model.json', json);
    for (const name of names) await rename(temporary(name), node.path.join(folder, name));
    for (const name of stale) if (!names.includes(name)) await rm(node.path.join(folder, name), { force: true });
    const byteLength = shards.reduce((total, shard) => total + shard.byteLength, Buffer.byteLength(json));
    isNew = false;
    const files = ['model.json', ...shards.map(({ name }) => name)].map((name) => node.path.join(folder, name));
    return { path, files, byteLength };
  } catch (cause) {
    throw unwritable(folder, cause);
  } finally {
    for (const file of begun) await rm(file, { force: true });
    if (isNew) await rm(folder, { recursive: true, force: true });
  }
}

/** The files of a model: weights in the order they have, cut every 4 MiB. */
function layOut(model: TfjsModel) {
  const shards: { name: string; pieces: Uint8Array[]; byteLength: number }[] = [];
  let room = 0;
  for (const { bytes } of model.weights) {
    for (let at = 0; at < bytes.byteLength; ) {
      if (room === 0) {
        shards.push({ name: '', pieces: [], byteLength: 0 });
        room = SHARD_BYTES;
      }
      const shard = shards.at(-1) as (typeof shards)[number];
      const piece = bytes.subarray(at, at + room);
      shard.pieces.push(piece);
      shard.byteLength += piece.byteLength;
      room -= piece.byteLength;
      at += piece.byteLength;
    }
  }
  shards.forEach((shard, i) => {
    shard.name = `group1-shard${i + 1}of${shards.length}.bin`;
  });
  const weightsManifest = [{ paths: shards.map(({ name }) => name), weights: model.weights.map(({ spec }) => spec) }];
  return { json: JSON.stringify({ ...model.fields, weightsManifest }), shards };
}

function checkFolder(node: NodeModules, model: TfjsModel, folder: string, path: string, force: boolean): void {
  const stat = (file: string) => node.fs.statSync(file, { throwIfNoEntry: false });
  const parent = node.path.dirname(node.path.resolve(folder));
  if (!stat(parent)?.isDirectory()) {
    throw new TfjsFileError(folder, 'unwritable', `there is no folder ${parent}`, 'Create it first');
  }
  const existing = stat(folder);
  if (existing === undefined) return;
  if (!existing.isDirectory()) {
    throw new TfjsFileError(folder, 'unwritable', 'it is no folder', 'Name a folder: a model is several files');
  }
  if (model.origin !== null && node.fs.realpathSync(folder) === node.path.dirname(model.origin)) {
    const what = 'it is the folder that the model was read from, which stays as it is';
    throw new TfjsFileError(folder, 'exists', what, 'Choose another folder');
  }
  if (node.fs.lstatSync(path, { throwIfNoEntry: false }) && !force) {
    throw new TfjsFileError(folder, 'exists', 'it holds a model already', 'Choose another folder, or use force');
  }
}

/** Makes sure that no file is replaced but those of the model in the folder. */
function checkForeign(node: NodeModules, folder: string, names: readonly string[], replaced: readonly string[]): void {
  const isThere = (name: string) => node.fs.lstatSync(node.path.join(folder, name), { throwIfNoEntry: false });
  const foreign = names.find((name) => !replaced.includes(name) && isThere(name));
  if (foreign === undefined) return;
  const what = `it holds ${quoted(foreign)}, which is of no model there and would be overwritten`;
  throw new TfjsFileError(folder, 'exists', what, 'Move that file, or choose another folder');
}

/** Weight files of the model that a `model.json` describes; none where it is no model. */
async function shardsIn(node: NodeModules, path: string): Promise<readonly string[]> {
  try {
    const { groups } = parseModelJson(await node.fs.promises.readFile(path, 'utf8'), path);
    return groups.flatMap(({ paths }) => paths);
  } catch {
    // What is replaced is no model, so nothing is known of the files beside it.
    return [];
  }
}

function existing(cause: NodeJS.ErrnoException): string {
  if (cause.code === 'EEXIST') return 'existing';
  throw cause;
}

/** What the system says of an output; anything else, such as an abort, as it is. */
function unwritable(folder: string, cause: unknown): unknown {
  if (!(cause instanceof Error && 'syscall' in cause && 'code' in cause)) return cause;
  const remedy = 'Check the space and the permissions of its folder';
  return new TfjsFileError(folder, 'unwritable', `it cannot be written (${String(cause.code)})`, remedy, { cause });
}
