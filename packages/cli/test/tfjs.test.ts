import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readModel, registerLayers } from '@mhe/tfjs';
import { type Tensor as TfjsTensor, tensor } from '@tensorflow/tfjs-core';
import { loadLayersModel } from '@tensorflow/tfjs-layers';
import { zipSync } from 'fflate';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { nested, type Tensor } from './onnx-fixture.js';
import { runMhe } from './run-mhe.js';
import { drawFeeds, type FixtureFeed, outputsOf, sizes, writeFixture } from './tfjs-fixture.js';

let folder: string;
let input: string;
let model: string;
let calibration: string;
let output: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mhe-tfjs-'));
  input = join(folder, 'in');
  model = join(input, 'model.json');
  calibration = join(folder, 'feeds.jsonl');
  output = join(folder, 'out');
  writeFixture(input);
  await writeFile(calibration, lines(drawFeeds(24, 1)));
});
afterEach(() => rm(folder, { recursive: true }));

const lines = (feeds: readonly FixtureFeed[]) => feeds.map((feed) => `${JSON.stringify(feed)}\n`).join('');
const swap = (...args: string[]) => runMhe(['swap', model, '-o', output, '--calibration', calibration, ...args]);

/** Everything below the folder, by path, with its bytes. */
async function contents(): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Object.fromEntries(await Promise.all(files.map(async (file) => [file, await readFile(file, 'base64')])));
}

/** The largest difference of the swapped model's outputs from the original's, on inputs that the fit did not see. */
async function difference(swapped = output): Promise<number> {
  const feeds = drawFeeds(3, 2);
  const [expected, actual] = [await outputsOf(input, feeds), await outputsOf(swapped, feeds)];
  expect(actual).toHaveLength(3 * sizes.length * sizes.modelDim);
  return Math.max(...expected.map((value, i) => Math.abs(value - (actual[i] ?? Number.NaN))));
}

describe('mhe inspect', () => {
  it('takes a model.json, or the folder that holds one', async () => {
    const { code, stdout, stderr } = await runMhe(['inspect', model, '--json']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const { attention, skipped } = JSON.parse(stdout);
    expect(skipped).toEqual([]);
    expect(attention).toMatchObject([{ index: 0, name: 'softmax', numHeads: 3, headDim: 4, scale: 0.5 }]);
    expect((await runMhe(['inspect', input, '--json'])).stdout).toBe(stdout);
    expect((await runMhe(['inspect', input])).stdout).toMatch(/: 1 attention block$/m);
  });
});

describe('mhe swap', () => {
  it("writes a folder that TensorFlow.js loads and that gives the original's outputs where the heads share", async () => {
    const before = await contents();
    const { code, stdout, stderr } = await swap('--json');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const report = JSON.parse(stdout);
    const files = ['model.json', 'group1-shard1of1.bin'].map((name) => join(output, name));
    const byteLength = (await Promise.all(files.map((file) => stat(file)))).reduce((sum, { size }) => sum + size, 0);
    expect(report.output).toEqual({ files, byteLength });
    expect(report.calibration).toMatchObject({ kind: 'given', sequences: 24 });
    expect(report.notices).toEqual([]);
    expect(report.parameters.after).toBeLessThan(report.parameters.before);
    expect(await difference()).toBeLessThan(1e-4);
    expect(await contents()).toMatchObject(before);
    expect((await readdir(output)).sort()).toEqual(['group1-shard1of1.bin', 'model.json']);
  });

  it('takes .npz as it takes JSON Lines', async () => {
    const npz = join(folder, 'feeds.npz');
    const feeds = drawFeeds(24, 1).map(({ x }) => ({ x: [(x[0] ?? []).map((row) => row.map(Math.fround))] }));
    await writeFile(calibration, lines(feeds));
    await writeFile(
      npz,
      zipSync({
        'x.npy': float32Npy(
          feeds.flatMap(({ x }) => x.flat(2)),
          24,
        ),
      }),
    );
    expect(await swap()).toMatchObject({ code: 0, stderr: '' });
    const other = join(folder, 'other');
    expect(await runMhe(['swap', input, '-o', other, '--calibration', npz])).toMatchObject({ code: 0, stderr: '' });
    for (const name of ['model.json', 'group1-shard1of1.bin']) {
      expect(await readFile(join(other, name))).toEqual(await readFile(join(output, name)));
    }
  });

  it('tells people the same as for ONNX', async () => {
    const { code, stdout, stderr } = await swap('--value-groups', 'heads', '--external-data', 'never');
    expect(code).toBe(0);
    expect(stdout).toMatch(/-> .*model\.json \+ .*group1-shard1of1\.bin \([\d.]+ kB\)$/m);
    expect(stdout).toMatch(/^parameters of the model +[\d,]+ +[\d,]+ +-[\d.]+ %$/m);
    expect(stdout).toMatch(/^0 +softmax +3 +1 \/ 3 +mul folded /m);
    expect(stdout).toMatch(/^No quality was measured on a task\./m);
    expect(stderr).toMatch(/^note: --external-data has no effect on TensorFlow\.js models[^\n]*\n$/);
  });

  it('runs in the cpu backend, and says so, where wasm lacks a kernel', async () => {
    await rm(input, { recursive: true });
    writeFixture(input, { last: 'Einsum' });
    const { code, stdout } = await swap('--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout).notices).toEqual([
      'the wasm backend of TensorFlow.js lacks the kernel Einsum, so the model ran in the slower cpu backend',
    ]);
    expect(await difference()).toBeLessThan(1e-4);
  });

  it('takes a Keras model of layers, whose swap at a group for every head gives what Keras gives', async () => {
    const keras = fileURLToPath(new URL('../../tfjs/test/fixtures/keras/translator/', import.meta.url));
    const { inputs, output: expected } = JSON.parse(await readFile(join(keras, 'expected.json'), 'utf8')) as {
      readonly inputs: Readonly<Record<string, Tensor>>;
      readonly output: Tensor;
    };
    const feed = Object.entries(inputs).map(([name, values]) => [name, nested(values)]);
    await writeFile(calibration, JSON.stringify(Object.fromEntries(feed)));
    const args = ['swap', keras, '-o', output, '--calibration', calibration, '--groups', 'heads', '--json'];
    const { code, stdout } = await runMhe(args);
    expect(code).toBe(0);
    expect(JSON.parse(stdout).swapped).not.toEqual([]);

    registerLayers();
    const swapped = await loadLayersModel(await readModel(output));
    const tensors = swapped.inputNames.map((name) => {
      const { data, dims } = inputs[name] as Tensor;
      return tensor([...data], [...dims]);
    });
    const actual = [...(swapped.predict(tensors) as TfjsTensor).dataSync()];
    expect(actual).toHaveLength(expected.data.length);
    expect(Math.max(...actual.map((value, i) => Math.abs(value - (expected.data[i] ?? Number.NaN))))).toBeLessThan(
      1e-5,
    );
  });

  it('fills an empty folder, replaces a model only with --force, and leaves other files', async () => {
    await mkdir(output);
    expect(await swap()).toMatchObject({ code: 0 });
    const first = await readFile(join(output, 'model.json'));
    await refused([], /out holds a model; give --force to replace it/);
    await writeFile(join(output, 'vocabulary.txt'), 'precious');
    await rm(join(output, 'group1-shard1of1.bin'));
    writeFixture(join(folder, 'other'));
    for (const name of ['model.json', 'first.bin', 'second.bin']) {
      await writeFile(join(output, name), await readFile(join(folder, 'other', name)));
    }
    expect(await swap('--force')).toMatchObject({ code: 0 });
    expect(await readFile(join(output, 'model.json'))).toEqual(first);
    expect((await readdir(output)).sort()).toEqual(['group1-shard1of1.bin', 'model.json', 'vocabulary.txt']);
    expect(await readFile(join(output, 'vocabulary.txt'), 'utf8')).toBe('precious');
  });
});

/** A swap that ends with code 1 and one line, and leaves everything as it was. */
async function refused(args: readonly string[], message: RegExp): Promise<void> {
  const before = await contents();
  const { code, stdout, stderr } = await swap(...args);
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toMatch(/^mhe: [^\n]+\n$/);
  expect(stderr).toMatch(message);
  expect(await contents()).toEqual(before);
}

describe('a swap that cannot be done changes nothing', () => {
  it('where the output is the folder of the input, by whatever name', async () => {
    const link = join(folder, 'link');
    await symlink(input, link);
    await refused(['-o', input, '--force'], /is the folder of the input, which is never changed/);
    await refused(['-o', link, '--force'], /is the folder of the input, which is never changed/);
  });

  it('where the output is a file or named like one, is in no folder, or has files in it', async () => {
    await refused(['-o', join(folder, 'new.json')], /new\.json has the name of a file; name a folder/);
    await refused(['-o', calibration, '--force'], /feeds\.jsonl is a file; name a folder/);
    await refused(
      ['-o', join(folder, 'nowhere', 'out')],
      /there is no folder .*nowhere for the output .*; create it first/,
    );
    await mkdir(output);
    await writeFile(join(output, 'group1-shard1of1.bin'), 'precious');
    await refused([], /out is not empty; give --force to put the model beside what is there/);
    await refused(['--force'], /it holds "group1-shard1of1\.bin", which is of no model there/);
  });

  it('where the calibration does not fit the model', async () => {
    await writeFile(calibration, '{"tokens": [[1]]}\n');
    await refused([], /calibration input 1: the model has no input "tokens"; the model's inputs are x/);
    await writeFile(calibration, '{"x": [[1, 2]]}\n');
    await refused([], /input "x" has the dimensions \[1, 2\], but the model declares \[\?, 6, 12\]/);
  });

  it('where it is interrupted', async () => {
    const before = await contents();
    const args = ['swap', model, '-o', output, '--calibration', calibration];
    for (const interruptAt of ['preparing', 'fitting']) {
      expect(await runMhe(args, { isTTY: true, interruptAt })).toMatchObject({ code: 130, stdout: '' });
      expect(await contents()).toEqual(before);
    }
  });
});

describe('what is no model of TensorFlow.js ends with code 1 and one line that says what it is', () => {
  async function says(path: string, message: RegExp): Promise<void> {
    const { code, stdout, stderr } = await runMhe(['inspect', path]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^mhe: [^\n]+\n$/);
    expect(stderr).toMatch(message);
  }

  it('a folder without a model.json', () =>
    says(folder, /is a folder without a model\.json, or a config\.json and onnx\/; name/));

  it('a file that is missing, cut short, or JSON of another kind', async () => {
    await says(join(folder, 'missing.json'), /missing\.json: it does not exist/);
    await writeFile(model, '{"modelTopology": {"node": [');
    await says(model, /JSON is cut short or damaged/);
    await writeFile(model, '{"model_type": "bert"}');
    await says(input, /has no "modelTopology"/);
  });

  it('a model whose weights are missing', async () => {
    await rm(join(input, 'second.bin'));
    await says(model, /its weight file ".*second\.bin" does not exist/);
  });
});

/** A float32 array of NumPy's format, `[feeds, length, modelDim]`. */
function float32Npy(values: readonly number[], feeds: number): Uint8Array {
  const shape = `(${feeds}, ${sizes.length}, ${sizes.modelDim})`;
  const header = new TextEncoder().encode(`{'descr': '<f4', 'fortran_order': False, 'shape': ${shape}, }\n`);
  const body = new Uint8Array(Float32Array.from(values).buffer);
  return Uint8Array.from([0x93, ...new TextEncoder().encode('NUMPY'), 1, 0, header.length, 0, ...header, ...body]);
}
