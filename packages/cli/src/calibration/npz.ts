import { crc32 } from 'node:zlib';
import { type Entry, openPromise, type ZipFile } from 'yauzl';
import type { Feed, FeedTensor } from './feed.js';
import { parseNpy } from './npy.js';

/**
 * The most bytes that the arrays of one file may unpack to. Calibration takes tens to thousands of sequences; a file
 * past this is a mistake, or a small file made to unpack to a huge one.
 */
const maxUnpackedBytes = 2 ** 30;

/**
 * Reads feeds from NumPy's `.npz`: one array per input, named as the input. The first axis of every array counts the
 * feeds, so arrays `[N, ...]` give `N` feeds of batch 1, `[1, ...]` each.
 *
 * @throws Error naming the file and the array that cannot be used, and why.
 */
export async function readNpzFeeds(path: string): Promise<Feed[]> {
  const arrays = await readArrays(path);
  const [first] = arrays;
  if (!first) throw new Error(`${path} holds no array`);
  const numFeeds = first[1].dims[0];
  for (const [name, { dims }] of arrays) {
    if (dims[0] === undefined)
      throw new Error(`${path}: the array ${name} is a single number; its first axis must count the feeds`);
    if (dims[0] !== numFeeds) {
      throw new Error(
        `${path}: the first axis counts the feeds, and is ${numFeeds} in ${first[0]} but ${dims[0]} in ${name}`,
      );
    }
  }
  if (!numFeeds) throw new Error(`${path} holds no feed: the first axis of its arrays is 0`);
  return Array.from({ length: numFeeds }, (_, index) =>
    Object.fromEntries([...arrays].map(([name, array]) => [name, row(array, index)])),
  );
}

/** Entry `index` of the first axis, kept as an axis of 1. */
function row({ data, dims }: FeedTensor, index: number): FeedTensor {
  const [numFeeds = 1, ...rest] = dims;
  const size = data.length / numFeeds;
  return { data: data.subarray(index * size, (index + 1) * size), dims: [1, ...rest] };
}

async function readArrays(path: string): Promise<Map<string, FeedTensor>> {
  const arrays = new Map<string, FeedTensor>();
  let unpackedBytes = 0;
  let archive: ZipFile | undefined;
  try {
    archive = await openPromise(path);
    for await (const entry of archive.eachEntry()) {
      const name = entry.fileName.replace(/\.npy$/, '');
      if (name === entry.fileName) throw new Error(`it holds ${entry.fileName}, which is no .npy array`);
      if (arrays.has(name)) throw new Error(`it holds the array ${name} twice`);
      unpackedBytes += entry.uncompressedSize;
      if (unpackedBytes > maxUnpackedBytes) throw new Error('its arrays unpack to more than 1 GiB; give fewer feeds');
      arrays.set(name, parseNpy(await unpack(archive, entry), `the array ${name}`));
    }
  } catch (cause) {
    throw new Error(`${path} cannot be used as .npz: ${cause instanceof Error ? cause.message : cause}`, { cause });
  } finally {
    archive?.close();
  }
  return arrays;
}

/** One file of the archive. yauzl stops it at its declared size; the checksum is checked here. */
async function unpack(archive: ZipFile, entry: Entry): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  for await (const chunk of await archive.openReadStreamPromise(entry)) chunks.push(chunk as Buffer);
  const bytes = Buffer.concat(chunks);
  if (crc32(bytes) !== entry.crc32) throw new Error(`${entry.fileName} is damaged: its checksum does not match`);
  return bytes;
}
