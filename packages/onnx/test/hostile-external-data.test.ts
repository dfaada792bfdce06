import { linkSync, mkdirSync, symlinkSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { create } from '@bufbuild/protobuf';
import { type TensorProto, TensorProto_DataLocation, TensorProto_DataType, TensorProtoSchema } from 'onnx-buf';
import { beforeEach, describe, expect, test } from 'vitest';
import { normaliseLocation } from '../src/file/external-location.js';
import { OnnxFileError } from '../src/file/onnx-file-error.js';
import { readModel } from '../src/file/read-model.js';
import { decodeFloat } from '../src/tensor/decode-float.js';
import { affineModel, plainBytes, temporaryFolder } from './file-model.js';

const numbers = Float32Array.from({ length: 16 }, (_, i) => i + 0.5);
const bytes = new Uint8Array(numbers.buffer);

/** The weight `W: [4, 4]` of an affine model, outside of it. */
function external(location: string, entries: Record<string, string> = {}): TensorProto {
  return create(TensorProtoSchema, {
    name: 'W',
    dims: [4n, 4n],
    dataType: TensorProto_DataType.FLOAT,
    dataLocation: TensorProto_DataLocation.EXTERNAL,
    externalData: Object.entries({ location, ...entries }).map(([key, value]) => ({ key, value })),
  });
}

const modelBytes = (location: string, entries?: Record<string, string>) =>
  plainBytes(affineModel(4, { W: external(location, entries) }));

/** Reads a model and its weight; a model that is read opens no file before. */
async function readWeight(file: string): Promise<number[]> {
  const model = await readModel(file);
  return [...decodeFloat(model.proto.graph?.initializer[0] as TensorProto, model)];
}

let folder: string;
beforeEach(() => {
  folder = join(temporaryFolder(), 'models');
  mkdirSync(join(folder, 'sub'), { recursive: true });
  writeFileSync(join(folder, '..', 'secret.bin'), bytes);
  writeFileSync(join(folder, 'w.bin'), bytes);
  writeFileSync(join(folder, 'sub', 'w.bin'), bytes);
});

/** Writes a model into the folder and says where. */
function put(location: string, entries?: Record<string, string>): string {
  const file = join(folder, 'model.onnx');
  writeFileSync(file, modelBytes(location, entries));
  return file;
}

test.each(['w.bin', './w.bin', 'sub/w.bin', 'sub/../w.bin', './/sub//./w.bin'])('%s is inside', async (location) => {
  expect(await readWeight(put(location))).toEqual([...numbers]);
});

describe('a path that leaves the folder is refused before it is looked at', () => {
  const outside = [
    '../secret.bin',
    'sub/../../secret.bin',
    '..',
    '.',
    '',
    '/etc/passwd',
    '//server/share',
    'C:\\secret.bin',
    'C:secret.bin',
    '..\\secret.bin',
    'sub\\..\\..\\secret.bin',
    '\\\\server\\share',
    'w.bin\0.txt',
  ];
  test.each(outside)('%j', async (location) => {
    await expect(readModel(put(location))).rejects.toThrow(OnnxFileError);
    await expect(readModel(put(location))).rejects.toThrow(/model\.onnx: tensor "W" (has its data in|is external but)/);
    await expect(readModel(modelBytes(location), { externalData: { 'secret.bin': bytes } })).rejects.toThrow(
      OnnxFileError,
    );
  });

  test('names that only look so are fine', () => {
    expect(normaliseLocation('..data/w')).toBe('..data/w');
    expect(normaliseLocation('...')).toBe('...');
    expect(normaliseLocation('a/../b/./c')).toBe('b/c');
  });
});

describe.skipIf(process.platform === 'win32')('links', () => {
  test('to a file outside are refused, directly or through a folder', async () => {
    symlinkSync(join(folder, '..', 'secret.bin'), join(folder, 'link.bin'));
    symlinkSync(join(folder, '..'), join(folder, 'up'));
    symlinkSync('up/secret.bin', join(folder, 'twice.bin'));
    for (const location of ['link.bin', 'up/secret.bin', 'twice.bin']) {
      await expect(readModel(put(location))).rejects.toThrow(/a link that leads out of the model's folder/);
    }
  });

  test('to another file in the folder are fine', async () => {
    symlinkSync('sub/w.bin', join(folder, 'link.bin'));
    expect(await readWeight(put('link.bin'))).toEqual([...numbers]);
  });

  test('of a model and its data into one store are fine, as caches of model hubs have them', async () => {
    const cache = temporaryFolder();
    mkdirSync(join(cache, 'blobs'));
    mkdirSync(join(cache, 'snapshot'));
    writeFileSync(join(cache, 'blobs', 'aaa'), modelBytes('model.onnx.data'));
    writeFileSync(join(cache, 'blobs', 'bbb'), bytes);
    symlinkSync('../blobs/aaa', join(cache, 'snapshot', 'model.onnx'));
    symlinkSync('../blobs/bbb', join(cache, 'snapshot', 'model.onnx.data'));
    expect(await readWeight(join(cache, 'snapshot', 'model.onnx'))).toEqual([...numbers]);
  });

  test('in a circle, or to nothing, are missing files', async () => {
    symlinkSync('b.bin', join(folder, 'a.bin'));
    symlinkSync('a.bin', join(folder, 'b.bin'));
    await expect(readModel(put('a.bin'))).rejects.toThrow(/"a\.bin", which is not there/);
  });

  test('a model reached through a linked folder finds its data', async () => {
    put('w.bin');
    const link = join(temporaryFolder(), 'linked');
    symlinkSync(folder, link);
    expect(await readWeight(join(link, 'model.onnx'))).toEqual([...numbers]);
  });

  test('hard ones cannot be told from files', async () => {
    linkSync(join(folder, 'w.bin'), join(folder, 'hard.bin'));
    expect(await readWeight(put('hard.bin'))).toEqual([...numbers]);
  });
});

describe('sizes', () => {
  test('without length or offset, as early exporters wrote, the tensor is what the file begins with', async () => {
    writeFileSync(join(folder, 'longer.bin'), Buffer.concat([bytes, bytes]));
    expect(await readWeight(put('longer.bin'))).toEqual([...numbers]);
    expect(await readWeight(put('longer.bin', { offset: '64' }))).toEqual([...numbers]);
  });

  const wrong: [Record<string, string>, RegExp][] = [
    [{ offset: '4' }, /needs bytes 4 to 68 of "w\.bin", which has 64/],
    [{ offset: '4', length: '64' }, /needs bytes 4 to 68/],
    [{ length: '60' }, /needs 64 bytes for its dimensions, but declares 60/],
    [{ offset: '-4' }, /no sensible place/],
    [{ offset: '18446744073709551615', length: '64' }, /no sensible place/],
    [{ offset: '9007199254740900', length: '64' }, /which has 64/],
    [{ offset: '1e3' }, /no sensible place/],
    [{ length: '' }, /no sensible place/],
  ];
  test.each(wrong)('%o', async (entries, message) => {
    await expect(readModel(put('w.bin', entries))).rejects.toThrow(message);
    await expect(readModel(modelBytes('w.bin', entries), { externalData: { 'w.bin': bytes } })).rejects.toThrow(
      message,
    );
  });

  test('of a data file that is a pointer or a page in its place', async () => {
    writeFileSync(join(folder, 'lfs.bin'), 'version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 64\n');
    await expect(readModel(put('lfs.bin', { offset: '64' }))).rejects.toThrow(/"lfs\.bin", which is a Git LFS pointer/);
    writeFileSync(join(folder, 'page.bin'), '<!DOCTYPE html><html></html>');
    await expect(readModel(put('page.bin'))).rejects.toThrow(/"page\.bin", which is a web page/);
  });
});

test('a missing file and a folder in its place are named, with the tensor', async () => {
  await expect(readModel(put('missing.bin'))).rejects.toThrow(
    /tensor "W" has its data in "missing\.bin", which is not there/,
  );
  await expect(readModel(put('sub'))).rejects.toThrow(/tensor "W" has its data in "sub", which is not a file/);
  await expect(readModel(modelBytes('w.bin'))).rejects.toThrow(
    /"w\.bin", which was not given\. Give it as externalData\["w\.bin"\]/,
  );
});

test('data in memory is found whichever way its location is spelled', async () => {
  const model = await readModel(modelBytes('./sub//w.bin'), { externalData: { 'sub/./w.bin': bytes } });
  expect([...decodeFloat(model.proto.graph?.initializer[0] as TensorProto, model)]).toEqual([...numbers]);
  await expect(readModel(modelBytes('w.bin'), { externalData: { '../w.bin': bytes } })).rejects.toThrow(
    /no tensor may name/,
  );
});

test('a file that changes after the model was read is not read as if it had not', async () => {
  const model = await readModel(put('w.bin'));
  const [tensor] = model.proto.graph?.initializer ?? [];
  writeFileSync(
    join(folder, 'w.bin'),
    bytes.map((byte) => byte ^ 1),
  );
  utimesSync(join(folder, 'w.bin'), 1, 1);
  expect(() => decodeFloat(tensor as TensorProto, model)).toThrow(/w\.bin: it changed while the model was in use/);
});

test('strings outside the message are refused', async () => {
  const W = external('w.bin');
  W.dataType = TensorProto_DataType.STRING;
  const file = join(folder, 'model.onnx');
  writeFileSync(file, plainBytes(affineModel(4, { W })));
  await expect(readModel(file)).rejects.toThrow(/strings outside the model/);
});

test.skipIf(process.platform === 'win32')(
  'of a data file of more than 2 GB only what is asked for is read',
  async () => {
    const large = join(folder, 'large.bin');
    writeFileSync(large, bytes);
    truncateSync(large, 5e9);
    const offset = 4e9;
    const { openSync, writeSync, closeSync } = await import('node:fs');
    const handle = openSync(large, 'r+');
    writeSync(handle, bytes, 0, bytes.length, offset);
    closeSync(handle);
    const before = process.memoryUsage().rss;
    expect(await readWeight(put('large.bin', { offset: String(offset), length: '64' }))).toEqual([...numbers]);
    expect(process.memoryUsage().rss - before).toBeLessThan(1e8);
    const beyond = readModel(put('large.bin', { offset: String(5e9 - 63), length: '64' }));
    await expect(beyond).rejects.toThrow(/which has 5000000000/);
  },
);
