import { mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { create } from '@bufbuild/protobuf';
import { type ModelProto, ModelProtoSchema } from 'onnx-buf';
import { describe, expect, test } from 'vitest';
import { OnnxFileError, type OnnxFileProblem, quoted } from '../src/file/onnx-file-error.js';
import { readModel } from '../src/file/read-model.js';
import { edit } from '../src/graph/edit.js';
import { affineModel, plainBytes, temporaryFolder } from './file-model.js';

const text = (words: string) => new TextEncoder().encode(words);

/** A header of `length` bytes as safetensors have it, then data. */
function safetensors(): Uint8Array {
  const header = text('{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}');
  const bytes = new Uint8Array(8 + header.length + 4);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(header.length), true);
  bytes.set(header, 8);
  return bytes;
}

const withOpsets = (...opsetImport: ModelProto['opsetImport']) => plainBytes(edit(affineModel(), { opsetImport }));
const opsetOf = (domain: string) =>
  create(ModelProtoSchema, { opsetImport: [{ domain, version: 1n }] }).opsetImport[0] as ModelProto['opsetImport'][0];

const notModels: [string, Uint8Array, OnnxFileProblem, RegExp][] = [
  [
    'a Git LFS pointer',
    text('version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n'),
    'not-onnx',
    /it is a Git LFS pointer.*`git lfs pull`/,
  ],
  ['a web page', text('\n<!DOCTYPE html>\n<html><head><title>x</title>'), 'not-onnx', /it is a web page.*raw file/],
  ['a web page with a byte order mark', text('\ufeff<html lang="en">'), 'not-onnx', /it is a web page/],
  ['JSON', text('{"error":"Repository not found"}'), 'not-onnx', /it is JSON/],
  ['a JSON list', text(' [\n  1, 2]'), 'not-onnx', /it is JSON/],
  ['plain text', text('Entry not found'), 'not-onnx', /it is text, not a model: "Entry not found"\./],
  [
    "ONNX's text form",
    text('<\n  ir_version: 7\n>\nagraph (float x) => (y)'),
    'not-onnx',
    /it is text, not a model: "< ir_version/,
  ],
  ['an .npz', text('PK\x03\x04\x14\x00'), 'not-onnx', /it is a zip archive/],
  ['gzip', new Uint8Array([0x1f, 0x8b, 8, 0]), 'not-onnx', /compressed with gzip/],
  ['safetensors', safetensors(), 'not-onnx', /it is a safetensors file/],
  ['an .ort file', text('\x1c\0\0\0ORTM\0\0\0\0'), 'not-onnx', /\.ort format/],
  ['a TensorFlow Lite model', text('\x1c\0\0\0TFL3\0\0\0\0'), 'not-onnx', /TensorFlow Lite/],
  ['GGUF', text('GGUF\x03\0\0\0'), 'not-onnx', /GGUF/],
  ['HDF5', new Uint8Array([0x89, 0x48, 0x44, 0x46, 13, 10]), 'not-onnx', /HDF5/],
  ['a pickle', new Uint8Array([0x80, 2, 0x8a, 10]), 'not-onnx', /Python pickle/],
  ['zeros', new Uint8Array(5000), 'not-onnx', /zeros only/],
  ['other bytes', new Uint8Array(600).map((_, i) => i * 37 + 200), 'not-onnx', /it is not an ONNX model/],
  ['nothing', new Uint8Array(0), 'damaged', /it is empty/],
  // A SavedModel: version, then graphs, which here would be the producer's name.
  ['another protobuf', new Uint8Array([8, 1, 18, 2, 65, 66]), 'not-onnx', /no complete ONNX model: it has no graph/],
  [
    'a model without IR version',
    plainBytes(edit(affineModel(), { irVersion: 0n })),
    'not-onnx',
    /it has no IR version/,
  ],
  ['a model without operator set', withOpsets(), 'not-onnx', /it has no operator set/],
  [
    'a model of an unknown domain',
    withOpsets(opsetOf('org.example'), opsetOf('ai.onnx.ml')),
    'not-onnx',
    /unknown domain: its operators are of "org.example", "ai.onnx.ml" alone/,
  ],
];

describe.each(notModels)('%s', (_, bytes, problem, message) => {
  const check = async (reading: Promise<unknown>, name: string) => {
    const error = await reading.then(
      () => expect.fail('it was read'),
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(OnnxFileError);
    expect(error).toMatchObject({ file: name, problem, message: expect.stringMatching(message) });
    expect((error as Error).message).toMatch(/^\S+: [^\n]+\.$/);
  };

  test('is refused as bytes and as a file, by name', async () => {
    await check(readModel(bytes, { name: 'given.onnx' }), 'given.onnx');
    const file = join(temporaryFolder(), 'model.onnx');
    writeFileSync(file, bytes);
    await check(readModel(file), file);
  });
});

test('one domain more, or a name for the default one, is no reason to refuse', async () => {
  await readModel(withOpsets(opsetOf('com.microsoft'), opsetOf('')));
  await readModel(withOpsets(opsetOf('ai.onnx')));
});

test('a folder, a missing file and a pipe are refused', async () => {
  const folder = temporaryFolder();
  await expect(readModel(folder)).rejects.toThrow(`${folder}: it is a folder. Name the model file in it`);
  await expect(readModel(join(folder, 'no.onnx'))).rejects.toThrow(
    /no\.onnx: there is no such file\. Check the path\.$/,
  );
  writeFileSync(join(folder, 'file'), '');
  await expect(readModel(join(folder, 'file', 'x.onnx'))).rejects.toThrow(/there is no such file/);
  if (process.platform !== 'win32') await expect(readModel('/dev/zero')).rejects.toThrow(/it is a device or a pipe/);
});

test.skipIf(process.platform === 'win32')('what is larger than a message can be is not even loaded', async () => {
  const folder = temporaryFolder();
  const [model, weights] = [join(folder, 'large.onnx'), join(folder, 'weights.onnx')];
  writeFileSync(model, plainBytes(affineModel()));
  writeFileSync(weights, safetensors());
  // Sparse: they take no space.
  for (const file of [model, weights]) truncateSync(file, 3e9);
  await expect(readModel(model)).rejects.toThrow(/it has 3\.0 GB.*external data/);
  await expect(readModel(weights)).rejects.toThrow(/safetensors/);
});

test('a producer whose name begins like another format is no other format', async () => {
  for (const producerName of ['ORTModule', 'TFL3', 'GGUF']) {
    const model = await readModel(plainBytes(edit(affineModel(), { producerName })));
    expect(model.proto.producerName).toBe(producerName);
  }
});

test('of what Node reads into a Buffer, tensors are plain arrays all the same', async () => {
  const model = await readModel(Buffer.from(plainBytes(affineModel())));
  expect(model.proto.graph?.initializer[0]?.rawData.constructor).toBe(Uint8Array);
});

test('reading stops when it is aborted', async () => {
  const file = join(temporaryFolder(), 'model.onnx');
  writeFileSync(file, plainBytes(affineModel()));
  await expect(readModel(file, { signal: AbortSignal.abort() })).rejects.toThrow(/aborted/);
});

test('a path with spaces and other letters is a path', async () => {
  const folder = join(temporaryFolder(), 'Modelle f\u00fcr mich');
  mkdirSync(folder);
  writeFileSync(join(folder, '\u6a21\u578b.onnx'), plainBytes(affineModel()));
  const model = await readModel(join(folder, '\u6a21\u578b.onnx'));
  expect(model.name).toBe(join(folder, '\u6a21\u578b.onnx'));
  expect(model.proto.producerName).toBe('a test');
});

test('a name out of a file cannot break the line, nor move the cursor', () => {
  expect(quoted('a\nb\u001b[2J\u009b2J\u2028')).toBe('"a\\nb\\u001b[2J\\u009b2J\\u2028"');
  expect(quoted('x'.repeat(1000))).toHaveLength(122);
});
