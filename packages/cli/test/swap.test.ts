import { copyFile, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { zipSync } from 'fflate';
import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { nested, type OnnxFixture, onnxFixture, type Tensor } from './onnx-fixture.js';
import { runMhe } from './run-mhe.js';

/** Two layers whose heads really share their projections, so that one group can give the original's outputs. */
const bert = onnxFixture('bert-two-layers-dynamo18-planted');

let folder: string;
let model: string;
let calibration: string;
let output: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mhe-swap-'));
  model = join(folder, 'model.onnx');
  calibration = join(folder, 'feeds.jsonl');
  output = join(folder, 'out.onnx');
  await copyFile(bert.path, model);
  await writeFile(calibration, calibrationLines(bert));
});
afterEach(() => rm(folder, { recursive: true }));

function calibrationLines({ cases }: OnnxFixture): string {
  const feeds = cases.map(({ inputs }) => Object.entries(inputs).map(([name, tensor]) => [name, nested(tensor)]));
  return feeds.map((feed) => `${JSON.stringify(Object.fromEntries(feed))}\n`).join('\n');
}

const files = async () => (await readdir(folder)).sort();
const inputsOnly = ['feeds.jsonl', 'model.onnx'];

/** The largest difference of a model's outputs from those that PyTorch gives, relative to the largest output. */
async function differenceFromPyTorch(path: string, { cases }: OnnxFixture): Promise<number> {
  const session = await InferenceSession.create(path);
  let worst = 0;
  for (const { inputs, outputs } of cases) {
    const feeds = Object.entries(inputs).map(([name, { dims, data }]) => [
      name,
      new OrtTensor('int64', BigInt64Array.from(data, BigInt), dims),
    ]);
    const results = await session.run(Object.fromEntries(feeds));
    for (const [name, expected] of Object.entries(outputs)) {
      const actual = results[name]?.data as Float32Array;
      expect(actual).toHaveLength(expected.data.length);
      const largest = Math.max(...expected.data.map(Math.abs));
      worst = Math.max(
        worst,
        ...expected.data.map((value, index) => Math.abs(value - (actual[index] ?? Number.NaN)) / largest),
      );
    }
  }
  await session.release();
  return worst;
}

describe('mhe swap', () => {
  it("writes a smaller model that gives the original's outputs where the heads share, and changes no input", async () => {
    const original = await readFile(model);
    const { code, stdout, stderr } = await runMhe([
      'swap',
      model,
      '-o',
      output,
      '--calibration',
      calibration,
      '--json',
    ]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const report = JSON.parse(stdout);
    expect(report.output).toEqual({ files: [output], byteLength: (await stat(output)).size });
    expect(report.swapped).toHaveLength(2);
    expect(report.parameters.after).toBeLessThan(report.parameters.before);
    expect(report.calibration).toMatchObject({ kind: 'given', sequences: bert.cases.length });
    expect(await differenceFromPyTorch(output, bert)).toBeLessThan(1e-4);
    expect(await readFile(model)).toEqual(original);
    expect(await files()).toEqual([...inputsOnly, 'out.onnx'].sort());
  });

  it('takes .npz as it takes JSON Lines', async () => {
    // The last case's three sequences of six tokens, each a feed.
    const inputs = Object.entries(bert.cases.at(-1)?.inputs ?? {});
    const lines = [0, 1, 2].map((row) => inputs.map(([name, tensor]) => [name, [(nested(tensor) as unknown[])[row]]]));
    await writeFile(calibration, lines.map((feed) => JSON.stringify(Object.fromEntries(feed))).join('\n'));
    const npz = join(folder, 'feeds.npz');
    await writeFile(
      npz,
      zipSync(Object.fromEntries(inputs.map(([name, tensor]) => [`${name}.npy`, int64Npy(tensor)]))),
    );

    const other = join(folder, 'other.onnx');
    const swap = ['swap', model, '--calibration'];
    expect(await runMhe([...swap, calibration, '-o', output])).toMatchObject({ code: 0, stderr: '' });
    expect(await runMhe([...swap, npz, '-o', other])).toMatchObject({ code: 0, stderr: '' });
    expect(await readFile(other)).toEqual(await readFile(output));
  });

  it('tells people what was gained, what it cost, and that no quality was measured', async () => {
    const { code, stdout } = await runMhe([
      'swap',
      model,
      '-o',
      output,
      '--calibration',
      calibration,
      '--query-key-groups',
      '1',
      '--value-groups',
      'heads',
      '--sites',
      '1',
    ]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^parameters of the model +[\d,]+ +[\d,]+ +-[\d.]+ %$/m);
    expect(stdout).toMatch(/^multiply-adds of 1 block, \d+ tokens +/m);
    expect(stdout).toMatch(/^1 +node_softmax_1 +3 +1 \/ 3 +mul \w+ /m);
    expect(stdout).toMatch(/node_softmax: it was not chosen/);
    expect(stdout).toMatch(/^No quality was measured on a task\./m);
    expect(stdout).not.toContain('MADE-UP');
  });

  it('takes --max-fit-error to the fit', async () => {
    const given = ['swap', model, '-o', output, '--calibration', calibration, '--max-fit-error'];
    const { code, stdout } = await runMhe([...given, '0.1', '--groups', 'heads']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/maxFitError has no effect where nothing is fitted/);
    const refused = await runMhe([...given, '5%']);
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringMatching(/A number from 0 to 1 is expected/) });
  });

  it('says loudly where the fit saw made-up data', async () => {
    const args = ['swap', model, '-o', output, '--synthetic-sequences', '4', '--synthetic-length', '5'];
    const { code, stdout, stderr } = await runMhe(args);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^The fit saw MADE-UP data/m);
    expect(stderr).toMatch(/^note: without --calibration or --data the fit sees made-up inputs/);
  });

  it('says which options have no effect', async () => {
    const { stderr } = await runMhe([
      'swap',
      model,
      '-o',
      output,
      '--calibration',
      calibration,
      '--synthetic-length',
      '5',
    ]);
    expect(stderr).toBe('note: --synthetic-length has no effect with --calibration\n');
  });

  it('shows a progress bar on a terminal and leaves nothing of it', async () => {
    const { stderr } = await runMhe(['swap', model, '-o', output, '--calibration', calibration], { isTTY: true });
    expect(stderr).toMatch(/fitting/);
    expect(stderr).toContain('\x1b[?25h');
  });

  it('puts weights beside the model with --external-data always, and leaves no bytes behind', async () => {
    const args = ['swap', model, '-o', output, '--calibration', calibration, '--force', '--external-data'];
    expect((await runMhe([...args, 'always'])).code).toBe(0);
    expect(await files()).toEqual([...inputsOnly, 'out.onnx', 'out.onnx.data'].sort());
    expect(await differenceFromPyTorch(output, bert)).toBeLessThan(1e-4);
    const first = await readFile(`${output}.data`);
    expect((await runMhe([...args, 'always'])).code).toBe(0);
    expect(await readFile(`${output}.data`)).toEqual(first);
    expect((await runMhe([...args, 'never'])).code).toBe(0);
    expect(await files()).toEqual([...inputsOnly, 'out.onnx'].sort());
  });
});

describe('a swap that matches nothing ends with code 2 and writes nothing', () => {
  it('where no site has the name', async () => {
    const { code, stdout, stderr } = await runMhe([
      'swap',
      model,
      '-o',
      output,
      '--calibration',
      calibration,
      '--sites',
      '*layer.7*',
      '--json',
    ]);
    expect(code).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({
      output: null,
      swapped: [],
      skipped: [{ name: 'node_softmax' }, { name: 'node_softmax_1' }],
    });
    expect(stderr).toBe(`mhe: no attention was swapped; ${output} was not written\n`);
    expect(await files()).toEqual(inputsOnly);
  });

  it('where there is only attention of another kind', async () => {
    await copyFile(onnxFixture('head-slices-script13').path, model);
    const { code, stdout } = await runMhe(['swap', model, '-o', output]);
    expect(code).toBe(2);
    expect(stdout).toMatch(/nothing swapped/);
    expect(stdout).toMatch(/before any projection/);
    expect(await files()).toEqual(inputsOnly);
  });
});

describe('a swap that cannot be done ends with code 1 and one line, before any work, and writes nothing', () => {
  async function refused(args: readonly string[], message: RegExp): Promise<void> {
    const before = await files();
    const { code, stdout, stderr } = await runMhe(['swap', ...args]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^mhe: [^\n]+\n$/);
    expect(stderr).toMatch(message);
    expect(await files()).toEqual(before);
  }

  it('where the output exists', async () => {
    await writeFile(output, 'precious');
    await refused([model, '-o', output, '--calibration', calibration], /out\.onnx exists; give --force/);
    expect(await readFile(output, 'utf8')).toBe('precious');
  });

  it('where the data file of the output exists', async () => {
    await writeFile(`${output}.data`, 'precious');
    await refused(
      [model, '-o', output, '--calibration', calibration, '--external-data', 'always'],
      /out\.onnx\.data exists; give --force/,
    );
  });

  it('where the output is the input, by whatever name', async () => {
    const link = join(folder, 'link.onnx');
    await symlink(model, link);
    await refused([model, '-o', model, '--force'], /is the input, which is never changed/);
    await refused([model, '-o', link, '--force'], /is the input, which is never changed/);
    await refused([link, '-o', model, '--force'], /is the input, which is never changed/);
  });

  it('where the output has no folder, or is one', async () => {
    await refused(
      [model, '-o', join(folder, 'nowhere', 'out.onnx')],
      /there is no folder .*nowhere for the output .*; create it first/,
    );
    await refused([model, '-o', folder], /is a folder/);
  });

  it('where the options contradict each other or the model', async () => {
    const all = [model, '-o', output, '--calibration', calibration];
    await refused([model], /required option '-o, --output <path>' not specified/);
    await refused([...all, '--groups', '1', '--query-key-groups', '1'], /cannot be used with/);
    await refused([...all, '--groups', '4'], /4/);
    await refused([...all, '--sites', '2'], /no site 2/);
    await refused([...all, '--embedding', 'plus'], /Allowed choices are mul, add/);
  });

  it('where the calibration does not fit the model', async () => {
    const all = [model, '-o', output, '--calibration', calibration];
    await writeFile(calibration, '{"input_ids": [[1, 2]]}\n');
    await refused(all, /"attention_mask" is missing/);
    await writeFile(calibration, '\n{"input_ids": [[1, 2], [3]]}\n');
    await refused(all, /feeds\.jsonl, line 2: input_ids is ragged/);
    await refused([model, '-o', output, '--calibration', join(folder, 'none.npz')], /none\.npz: no such file/);
  });
});

describe('an interruption', () => {
  it('ends with code 130 and leaves nothing half-written', async () => {
    const args = ['swap', model, '-o', output, '--calibration', calibration];
    for (const interruptAt of ['preparing', 'fitting', 'comparing outputs']) {
      const { code, stdout, stderr } = await runMhe(args, { isTTY: true, interruptAt });
      expect({ code, stdout }).toEqual({ code: 130, stdout: '' });
      expect(stripVTControlCharacters(stderr)).toMatch(/mhe: interrupted; nothing was written\n$/);
      expect(await files()).toEqual(inputsOnly);
    }
  });
});

/** An int64 array of NumPy's format. */
function int64Npy({ dims, data }: Tensor): Uint8Array {
  const header = new TextEncoder().encode(
    `{'descr': '<i8', 'fortran_order': False, 'shape': (${dims.join(', ')}), }\n`,
  );
  const body = new Uint8Array(BigInt64Array.from(data, BigInt).buffer);
  return Uint8Array.from([0x93, ...new TextEncoder().encode('NUMPY'), 1, 0, header.length, 0, ...header, ...body]);
}
