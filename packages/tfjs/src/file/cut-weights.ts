import type { StoredWeight } from './model.js';
import type { WeightGroup } from './model-json.js';
import { TfjsFileError } from './tfjs-file-error.js';
import { fixedByteLength, weightByteLength } from './weight-bytes.js';

/**
 * Cuts the weights of a group out of its files, one after the other: each a view of its file, or a copy where it goes
 * from one file into the next.
 *
 * @param file - what messages call the model.
 * @throws TfjsFileError where the files are too short.
 */
export function cutWeights(file: string, specs: WeightGroup['weights'], shards: readonly Uint8Array[]): StoredWeight[] {
  const total = shards.reduce((sum, { byteLength }) => sum + byteLength, 0);
  let shard = 0;
  let at = 0;
  /** The next bytes, as a view where one file holds them. */
  const take = (length: number): Uint8Array => {
    while (shard < shards.length && at === (shards[shard] as Uint8Array).byteLength) {
      shard++;
      at = 0;
    }
    const first = shards[shard] ?? new Uint8Array();
    if (at + length <= first.byteLength) {
      at += length;
      return first.subarray(at - length, at);
    }
    const part = first.subarray(at);
    at = first.byteLength;
    if (shard >= shards.length) {
      const what = `its weights end after ${total} bytes, before those it lists`;
      throw new TfjsFileError(file, 'weights', what, 'Download the model again, with all its weight files');
    }
    const rest = take(length - part.byteLength);
    const both = new Uint8Array(length);
    both.set(part);
    both.set(rest, part.byteLength);
    return both;
  };
  const rest = () => {
    const left = shards.slice(shard).map((bytes, i) => (i === 0 ? bytes.subarray(at) : bytes));
    const all = new Uint8Array(left.reduce((total, { byteLength }) => total + byteLength, 0));
    let to = 0;
    for (const part of left) {
      all.set(part, to);
      to += part.byteLength;
    }
    return all;
  };
  return specs.map((spec) => {
    const length = fixedByteLength(spec, file) ?? weightByteLength(spec, rest(), file);
    return { spec, bytes: take(length) };
  });
}
