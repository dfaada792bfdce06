// Models read, written and read again, against the loaders of TensorFlow.js itself.
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { io } from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { weightValues } from '../src/file/weight-values.js';
import { type Feed, readModel, swap, TfjsFileError, type TfjsModel, writeModel } from '../src/index.js';
import { useBackend } from './backends.js';
import { fixtureModel, fixtureNames, fixturePath, inputsOf, largestDifference, runModel } from './graph-fixture.js';
import { plainFiles } from './plain-files.js';

const temporary = mkdtempSync(join(tmpdir(), 'mhe-graph-files-'));
let folder = '';
let count = 0;

beforeAll(() => useBackend('cpu'));
beforeEach(() => {
  folder = join(temporary, String(count++));
});
afterAll(() => rmSync(temporary, { recursive: true }));

const manifestOf = (path: string) => (JSON.parse(readFileSync(path, 'utf8')) as io.ModelJSON).weightsManifest;

describe('reading', () => {
  it.each(fixtureNames)('gives the weights of %s as TensorFlow.js decodes them', async (name) => {
    const { weightData, weightSpecs = [] } = await plainFiles(fixturePath(name)).load();
    const tensors = io.decodeWeights(weightData as ArrayBuffer, weightSpecs);
    const { weights } = await fixtureModel(name);
    expect(weights.map(({ spec }) => spec)).toEqual(weightSpecs);
    for (const weight of weights) {
      const tensor = tensors[weight.spec.name];
      expect(Array.from(weightValues(weight) ?? [])).toEqual(Array.from((await tensor?.data()) ?? []));
      tensor?.dispose();
    }
  });

  it('reads files that a tensor crosses, and several groups of them', async () => {
    // So that the fixtures are what they are meant to be.
    const [shards] = manifestOf(fixturePath('shards'));
    const group = readdirSync(join(fixturePath('shards'), '..')).filter((file) => file.endsWith('.bin'));
    expect(group.length).toBeGreaterThan(2);
    // [12, 36] of float32 takes more than one file of 1000 bytes.
    expect(shards?.weights.some(({ shape }) => shape.reduce((a, b) => a * b, 4) > 1000)).toBe(true);
    expect(manifestOf(fixturePath('weight-groups-planted'))).toHaveLength(3);
  });

  it('takes the folder for the model in it', async () => {
    const { weights } = await readModel(join(fixturePath('unpacked'), '..'));
    expect(weights).toEqual((await fixtureModel('unpacked')).weights);
  });
});

describe('writing', () => {
  it.each(fixtureNames)('keeps every byte and word of %s', async (name) => {
    const model = await fixtureModel(name);
    const { path, files, byteLength } = await writeModel(model, folder);
    expect(files.map((file) => statSync(file).size).reduce((a, b) => a + b)).toBe(byteLength);
    expect(readdirSync(folder).sort()).toEqual(files.map((file) => file.slice(folder.length + 1)).sort());
    const [was, is] = [await plainFiles(fixturePath(name)).load(), await plainFiles(path).load()];
    expect(is).toEqual(was);
    const again = await readModel(path);
    expect(again.weights).toEqual(model.weights);
    expect(again.fields).toEqual(model.fields);
  });

  it.each(['encoder-planted', 'uint16-planted', 'float16-planted', 'weight-groups-planted', 'keras2'])(
    'makes of the swapped %s what TensorFlow.js loads without this package',
    async (name) => {
      const original = await fixtureModel(name);
      const calibration = inputsOf(name) as readonly Feed[];
      const { model, report } = await swap(original, { groups: 1, calibration });
      const { path } = await writeModel(model, folder);
      const [memory, files] = [await runModel(model, inputsOf(name)), await runModel(plainFiles(path), inputsOf(name))];
      expect(files).toEqual(memory);
      // Unswapped weights have the bytes they had, and new matrices the stored type of the old.
      const written = new Map((await readModel(path)).weights.map((weight) => [weight.spec.name, weight]));
      const kept = original.weights.filter(({ spec }) => written.has(spec.name));
      expect(kept.length).toBeGreaterThan(0);
      for (const weight of kept) expect(written.get(weight.spec.name)).toEqual(weight);
      const stored = original.weights.find(({ spec }) => spec.shape.length > 1)?.spec.quantization?.dtype;
      for (const { spec } of written.values())
        if (spec.dtype === 'float32' && spec.shape.filter((size) => size > 1).length > 1)
          expect(spec.quantization?.dtype).toBe(stored);
      const bytes = (weights: TfjsModel['weights']) =>
        weights
          .filter(({ spec }) => spec.dtype === 'float32')
          .map((weight) => weight.bytes.byteLength)
          .reduce((a, b) => a + b, 0);
      expect(report.bytes).toEqual({ before: bytes(original.weights), after: bytes([...written.values()]) });
      expect(report.bytes.after).toBeLessThan(report.bytes.before);
    },
  );

  it('cuts large weights into files that TensorFlow.js joins', async () => {
    const model = await fixtureModel('unpacked');
    const large = {
      spec: { name: 'large', shape: [1500, 1000], dtype: 'float32' as const },
      bytes: new Uint8Array(6e6),
    };
    large.bytes.forEach((_, i) => {
      large.bytes[i] = (i * 7) % 64;
    });
    const { files, path } = await writeModel(model.with({ weights: [...model.weights, large] }), folder);
    expect(files.slice(1).map((file) => statSync(file).size)[0]).toBe(4 * 2 ** 20);
    expect(files).toHaveLength(3);
    const { weightData } = await plainFiles(path).load();
    expect(
      Buffer.from(weightData as ArrayBuffer)
        .subarray(-6e6)
        .equals(large.bytes),
    ).toBe(true);
    const read = (await readModel(path)).weights.at(-1);
    expect(read?.spec).toEqual(large.spec);
    expect(large.bytes.every((byte, i) => byte === read?.bytes[i])).toBe(true);
  });

  it('spares the model it was read from and others, but with force', async () => {
    const model = await fixtureModel('unpacked');
    await writeModel(model, folder);
    await expect(writeModel(model, folder)).rejects.toThrow(/holds a model already/);
    await writeModel(model, folder, { force: true });
    const read = await readModel(folder);
    await expect(writeModel(read, folder, { force: true })).rejects.toThrow(/was read from, which stays as it is/);
    // A file of nobody's under the name of a weight file.
    const other = join(temporary, 'other');
    await writeModel(model, other);
    rmSync(join(other, 'model.json'));
    writeFileSync(join(other, 'notes.txt'), 'mine');
    await expect(writeModel(model, other)).rejects.toThrow(TfjsFileError);
    expect(readdirSync(other).sort()).toEqual(['group1-shard1of1.bin', 'notes.txt']);
  });

  it('leaves nothing behind where it is stopped', async () => {
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(writeModel(await fixtureModel('unpacked'), folder, { signal })).rejects.toThrow('enough');
    expect(readdirSync(temporary)).not.toContain(folder.slice(temporary.length + 1));
  });
});

describe('a swapped model', () => {
  it('keeps its signature, and loads from memory, too', async () => {
    const original = await fixtureModel('cross-planted');
    const { model } = await swap(original, { groups: 1, calibration: inputsOf('cross-planted') as readonly Feed[] });
    expect(model.fields.signature).toEqual(original.fields.signature);
    const outputs = await runModel(io.fromMemory(await model.load()), inputsOf('cross-planted'));
    outputs.forEach((actual, i) => {
      expect(Object.keys(actual)).toEqual(['y']);
      expect(largestDifference(actual, outputs[i] ?? {})).toBe(0);
    });
  });
});
