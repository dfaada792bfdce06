import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Zippable, zipSync } from 'fflate';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Feed, FeedTensor } from '../src/calibration/feed.js';
import { readNpzFeeds } from '../src/calibration/npz.js';
import { openCalibration } from '../src/calibration/open-calibration.js';

const fixture = (name: string) => fileURLToPath(new URL(`./fixtures/${name}`, import.meta.url));

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mhe-npz-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function zipped(name: string, files: Zippable): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, zipSync(files));
  return path;
}

/** A version 1 `.npy` file with this header and body. */
function npy(header: string, body: Uint8Array): Uint8Array {
  const text = new TextEncoder().encode(header);
  return Uint8Array.from([
    0x93,
    ...new TextEncoder().encode('NUMPY'),
    1,
    0,
    text.length & 255,
    text.length >> 8,
    ...text,
    ...body,
  ]);
}

const tensor = (feed: Feed | undefined, name: string) => feed?.[name] as FeedTensor;

describe.each(['feeds.npz', 'feeds-compressed.npz'])('%s, written by NumPy', (name) => {
  it('gives one feed of batch 1 for each entry of the first axis', async () => {
    const feeds = await readNpzFeeds(fixture(name));
    expect(feeds).toHaveLength(2);
    expect(feeds.map((feed) => Object.keys(feed))).toEqual([
      ['input_ids', 'pixels', 'keep', 'weights', 'small'],
      ['input_ids', 'pixels', 'keep', 'weights', 'small'],
    ]);
    expect(tensor(feeds[0], 'input_ids')).toEqual({ data: new BigInt64Array([1n, 2n, 3n]), dims: [1, 3] });
    expect(tensor(feeds[1], 'pixels')).toEqual({
      data: new Float32Array([1.5, 1.75, 2, 2.25, 2.5, 2.75]),
      dims: [1, 3, 2],
    });
    expect(tensor(feeds[0], 'keep')).toEqual({ data: new Uint8Array([1, 0]), dims: [1, 2] });
    expect(tensor(feeds[1], 'weights')).toEqual({ data: new Float64Array([-0.2]), dims: [1] });
    expect(tensor(feeds[0], 'small')).toEqual({ data: new Int8Array([-5]), dims: [1, 1] });
  });

  it('keeps 64-bit integers exact', async () => {
    const feeds = await readNpzFeeds(fixture(name));
    expect(tensor(feeds[1], 'input_ids').data[2]).toBe(2n ** 63n - 1n);
  });
});

describe('arrays that cannot be feeds, written by NumPy', () => {
  it.each([
    ['fortran.npz', /array ids is in column-major \(Fortran\) order/],
    ['big-endian.npz', /array ids is big-endian \(>i8\)/],
    ['pickled.npz', /array ids holds pickled Python objects/],
    ['half.npz', /array ids has the type <f2/],
    ['structured.npz', /array ids has a structured type/],
    ['uneven.npz', /is 2 in ids but 3 in mask/],
    ['scalar.npz', /array ids is a single number/],
    ['no-feed.npz', /holds no feed/],
  ])('%s', async (name, message) => {
    await expect(readNpzFeeds(fixture(name))).rejects.toThrow(message);
    await expect(readNpzFeeds(fixture(name))).rejects.toThrow(name);
  });

  it('a bare .npy', async () => {
    await expect(openCalibration(fixture('single.npy'))).rejects.toThrow(/single.npy is a single array; name it/);
  });
});

describe('damaged and hostile archives', () => {
  it('cut short', async () => {
    const bytes = await readFile(fixture('feeds.npz'));
    for (const length of [4, 100, bytes.length - 30]) {
      const path = join(folder, 'cut.npz');
      await writeFile(path, bytes.subarray(0, length));
      await expect(openCalibration(path)).rejects.toThrow(/cut\.npz cannot be used as \.npz/);
    }
  });

  it('a flipped byte of the data', async () => {
    const bytes = await readFile(fixture('feeds.npz'));
    // The last feed's last input id: in the body of the first array, 128 bytes of .npy header and 48 of numbers.
    const place = bytes.indexOf('NUMPY') - 1 + 128 + 47;
    bytes.writeUInt8(bytes.readUInt8(place) ^ 1, place);
    const path = join(folder, 'flipped.npz');
    await writeFile(path, bytes);
    await expect(openCalibration(path)).rejects.toThrow(/input_ids\.npy is damaged/);
  });

  it('an array that unpacks to more than is allowed, or to more than it declares', async () => {
    const bytes = zipSync({ 'ids.npy': new Uint8Array(2 ** 20) });
    const view = new DataView(bytes.buffer);
    const centralDirectory = Buffer.from(bytes.buffer).indexOf('PK\x01\x02');
    for (const [declared, message] of [
      [2 ** 30 + 1, /unpack to more than 1 GiB/],
      [100, /too many bytes in the stream/],
    ] as const) {
      view.setUint32(centralDirectory + 24, declared, true);
      const path = join(folder, 'bomb.npz');
      await writeFile(path, bytes);
      await expect(openCalibration(path)).rejects.toThrow(message);
    }
  });

  it('an entry that is no array, and one that only says so', async () => {
    await expect(openCalibration(await zipped('text.npz', { 'readme.txt': new Uint8Array(3) }))).rejects.toThrow(
      /holds readme\.txt, which is no \.npy array/,
    );
    await expect(openCalibration(await zipped('fake.npz', { 'ids.npy': new Uint8Array(300) }))).rejects.toThrow(
      /array ids is no \.npy array/,
    );
  });

  it('headers that lie', async () => {
    const header = (shape: string) => `{'descr': '<f4', 'fortran_order': False, 'shape': (${shape}), }\n`;
    const cases: [string, RegExp][] = [
      [header('2, 3'), /declares the shape \(2, 3\), 24 bytes, and holds 20 bytes/],
      [header('9007199254740993, 9007199254740993'), /holds 20 bytes/],
      [header('-1, 5'), /no readable shape/],
      ['nonsense', /structured type/],
    ];
    for (const [text, message] of cases) {
      const path = await zipped('lies.npz', { 'ids.npy': npy(text, new Uint8Array(20)) });
      await expect(openCalibration(path)).rejects.toThrow(message);
    }
    const whole = npy(header('5'), new Uint8Array(20));
    for (const length of [7, 9, 40]) {
      const path = await zipped('lies.npz', { 'ids.npy': whole.subarray(0, length) });
      await expect(openCalibration(path)).rejects.toThrow(/ends inside its header|no \.npy array/);
    }
  });
});
