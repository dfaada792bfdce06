// Large tensors of a file stay in it until they are asked for; written again, the model is what it was.
import { mkdtemp, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { seededRandom } from '@mhe/core';
import * as node from 'onnxruntime-node';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { encodeModel, type OnnxModel, type OrtRuntime, readModel, writeModel } from '../src/index.js';
import { openSession } from '../src/run/session.js';
import { encodeTensor } from '../src/tensor/encode-tensor.js';
import { rawBytes } from '../src/tensor/raw-bytes.js';
import { graph, node as graphNode, model, value } from './graph-builder.js';

const runtime = node as unknown as OrtRuntime;
const size = 160;
const random = seededRandom(0);
const weight = (name: string) =>
  encodeTensor(
    name,
    'float32',
    [size, size],
    Float64Array.from({ length: size * size }, () => random.normal()),
  );
/** An embedding table, a weight, a weight in a Constant node; each larger than 64 KiB. */
const built = model(
  graph({
    node: [
      graphNode('Constant', [], ['inner'], { value: weight('inner') }),
      graphNode('Gather', ['table', 'ids'], ['rows']),
      graphNode('MatMul', ['rows', 'weight'], ['hidden']),
      graphNode('MatMul', ['hidden', 'inner'], ['y']),
    ],
    input: [value('ids', 7, ['n'])],
    output: [value('y', 1, ['n', size])],
    initializer: [weight('table'), weight('weight')],
  }),
);

let folder: string;
let file: string;
let bytes: Buffer;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mhe-left-'));
  file = join(folder, 'model.onnx');
  await writeFile(file, encodeModel(built).bytes);
  bytes = await readFile(file);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function outputs(given: OnnxModel) {
  const session = await openSession(given, { runtime });
  const result = await session.run({ ids: { dtype: 'int64', dims: [2], data: BigInt64Array.of(3n, 159n) } });
  await session.release();
  return result.y?.data;
}

it('keeps no large tensor in memory, and reads each where it is', async () => {
  const left = await readModel(file);
  const [table] = left.proto.graph?.initializer ?? [];
  expect(table?.rawData.byteLength).toBe(0);
  expect(table && rawBytes(table, left)).toEqual(new Uint8Array(built.proto.graph?.initializer[0]?.rawData ?? []));
  expect(await outputs(left)).toEqual(await outputs(built));
});

it('writes them into the message again, byte for byte', async () => {
  const copy = join(folder, 'copy.onnx');
  const { dataPath } = await writeModel(await readModel(file), copy);
  expect(dataPath).toBeNull();
  expect(Buffer.compare(await readFile(copy), bytes)).toBe(0);
  expect(Buffer.compare(encodeModel(await readModel(file)).bytes, bytes)).toBe(0);
});

it('moves initialisers to a data file where that is asked for, and back', async () => {
  const apart = join(folder, 'apart.onnx');
  const { dataPath } = await writeModel(await readModel(file), apart, { externalData: 'always' });
  expect((await readFile(dataPath ?? '')).byteLength).toBeGreaterThanOrEqual(2 * 4 * size * size);
  const whole = join(folder, 'whole.onnx');
  await writeModel(await readModel(apart), whole, { externalData: 'never' });
  expect(Buffer.compare(await readFile(whole), bytes)).toBe(0);
});

it('says so where the file changed in the meantime', async () => {
  const changing = join(folder, 'changing.onnx');
  await writeFile(changing, bytes);
  const left = await readModel(changing);
  await utimes(changing, new Date(0), new Date(0));
  await expect(writeModel(left, join(folder, 'late.onnx'))).rejects.toThrow(/changing.onnx.*it changed while/);
});
