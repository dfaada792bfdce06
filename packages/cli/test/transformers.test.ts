import { copyFile, cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  env,
  type FeatureExtractionPipeline,
  pipeline,
  RawImage,
  type TextGenerationPipeline,
} from '@huggingface/transformers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runMhe } from './run-mhe.js';

const FIXTURES = fileURLToPath(new URL('../../transformers/test/fixtures/', import.meta.url));

let folder: string;
let model: string;
let data: string;
let output: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mhe-cli-transformers-'));
  model = join(folder, 'bert-planted');
  data = join(folder, 'texts.txt');
  output = join(folder, 'out');
  await cp(join(FIXTURES, 'bert-planted'), model, { recursive: true });
  await writeFile(data, `\uFEFF${texts.join('\r\n')}\r\n\r\n`);
  Object.assign(env, { allowRemoteModels: false, useFSCache: false, localModelPath: `${folder}/` });
});
afterEach(() => rm(folder, { recursive: true }));

const words = ['the ferry', 'a red kettle', 'nine herons', 'the library', 'their dog', 'beans', 'snow on the line'];
const texts = Array.from({ length: 60 }, (_, i) =>
  [1, 3, 2, 5].map((step) => words[(i * step + (i >> 2)) % 7]).join(' '),
);

/** Sentence embeddings out of a folder, by the library alone. */
async function embed(name: string): Promise<number[]> {
  const extract = (await pipeline('feature-extraction', name, { dtype: 'fp32' })) as FeatureExtractionPipeline;
  const { data: values } = await extract(['a good knife', 'rain fell on the roof'], {
    pooling: 'mean',
    normalize: true,
  });
  await extract.dispose();
  return Array.from(values as Float32Array);
}

describe('mhe inspect', () => {
  it('shows the attention of every file of a folder', async () => {
    const clip = join(FIXTURES, 'clip');
    const { code, stdout, stderr } = await runMhe(['inspect', clip, '--json']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const { files } = JSON.parse(stdout);
    const counts = Object.entries(files).map(([file, found]) => [
      file,
      (found as { attention: object[] }).attention.length,
    ]);
    expect(counts).toEqual([
      ['onnx/model.onnx', 2],
      ['onnx/text_model.onnx', 1],
      ['onnx/vision_model.onnx', 1],
    ]);
    expect((await runMhe(['inspect', clip])).stdout).toMatch(/clip\/onnx\/text_model\.onnx: 1 attention block$/m);
  });
});

describe('mhe swap', () => {
  it('writes a folder that the library loads, fitted on texts', async () => {
    const { code, stdout, stderr } = await runMhe(['swap', model, '-o', output, '--data', data, '--json']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const { output: written, files } = JSON.parse(stdout);
    expect(written.files).toContain(join(output, 'onnx', 'model.onnx'));
    const report = files['onnx/model.onnx'];
    expect(report.calibration).toMatchObject({ kind: 'given', sequences: 60 });
    expect(report.parameters.after).toBeLessThan(report.parameters.before);
    const [expected, actual] = [await embed('bert-planted'), await embed('out')];
    expect(actual).not.toEqual(expected);
    for (const [i, value] of actual.entries()) expect(Math.abs(value - (expected[i] ?? Number.NaN))).toBeLessThan(1e-4);
  });

  it('tells people the same as for ONNX, and what it left out', async () => {
    await copyFile(join(model, 'onnx/model.onnx'), join(model, 'onnx/model_quantized.onnx'));
    const { code, stdout, stderr } = await runMhe([
      'swap',
      model,
      '-o',
      output,
      '--data',
      data,
      '--external-data',
      'never',
    ]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/bert-planted -> .*out \([\d.]+ kB\)$/m);
    expect(stdout).toMatch(/^onnx\/model\.onnx: 2 blocks swapped$/m);
    expect(stdout).toMatch(/^parameters of the model +[\d,]+ +[\d,]+ +-[\d.]+ %$/m);
    expect(stderr).toMatch(/^note: --external-data has no effect on transformers\.js models/m);
    expect(stderr).toMatch(/^note: onnx\/model_quantized\.onnx was left out: /m);
  });

  it('writes a decoder that generates the same out of a smaller cache', async () => {
    await cp(join(FIXTURES, 'llama-planted'), join(folder, 'llama-planted'), { recursive: true });
    const args = [join(folder, 'llama-planted'), '-o', output, '--data', data];
    const { code, stdout } = await runMhe(['swap', ...args]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^numbers cached per token +64 +32 +-50\.0 %$/m);
    const generate = async (name: string) => {
      const write = (await pipeline('text-generation', name, { dtype: 'fp32' })) as TextGenerationPipeline;
      const written = await write('The ferry', { max_new_tokens: 10, do_sample: false });
      await write.dispose();
      return written;
    };
    expect(await generate('out')).toEqual(await generate('llama-planted'));
    expect(await readFile(join(output, 'README.md'), 'utf8')).toContain('| numbers cached per token | 64 | 32 |');
  });

  it('fits a model of images on a folder of them', async () => {
    const images = join(folder, 'images');
    await mkdir(images);
    for (const n of [1, 2, 3]) {
      const pixels = Uint8ClampedArray.from({ length: 30 * 30 * 3 }, (_, i) => 128 + 120 * Math.sin((i * n) / 50));
      await new RawImage(pixels, 30, 30, 3).save(join(images, `${n}.png`));
    }
    const { code, stdout } = await runMhe(['swap', join(FIXTURES, 'vit'), '-o', output, '--data', images, '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout).files['onnx/model.onnx'].calibration).toMatchObject({ kind: 'given', sequences: 3 });
  });

  it('fits a model of an encoder and a decoder on pairs, beside plain texts', async () => {
    const pairs = texts.slice(0, 3).map((source, i) => JSON.stringify({ source, target: texts[i + 9] }));
    await writeFile(data, [...pairs, 'a good knife'].join('\n'));
    const args = [join(FIXTURES, 't5-planted'), '-o', output, '--data', data, '--json'];
    const { code, stdout } = await runMhe(['swap', ...args]);
    expect(code).toBe(0);
    const { files } = JSON.parse(stdout);
    expect(files['onnx/encoder_model.onnx'].calibration).toMatchObject({ kind: 'given', sequences: 4 });
    expect(files['onnx/decoder_model_merged.onnx'].notices).toEqual([
      expect.stringMatching(/^the calibration inputs have/),
      '1 of 4 calibration inputs have no target: the decoder was fitted on writing their own text; give { source, target }',
    ]);
  });

  it('fits both towers on images and texts of a file beside them', async () => {
    const waves = Uint8ClampedArray.from(
      { length: 30 * 30 * 3 },
      (_, i) => 128 + 120 * Math.sin((i % 90) / (7 + i / 900)),
    );
    await new RawImage(waves, 30, 30, 3).save(join(folder, 'waves.png'));
    await writeFile(data, '{"image": "waves.png", "text": "a red kettle"}\n{ "text": "nine herons" }\n');
    const clip = join(FIXTURES, 'clip');
    const { code, stdout } = await runMhe(['swap', clip, '-o', output, '--data', data, '--json', '--sites', '0']);
    expect(code).toBe(0);
    const { files } = JSON.parse(stdout);
    const counts = ['text_model', 'vision_model'].map((name) => files[`onnx/${name}.onnx`].calibration.sequences);
    expect(counts).toEqual([2, 1]);
  });

  it.each<[string, RegExp]>([
    ['{"source": "the ferry"', /it begins as JSON and is none; give a plain text, \{"source": /],
    ['{"source": "the ferry"}', /a source goes with a target, and stands for the text; /],
    ['{"source": "the ferry", "target": 3}', /its "target" is no text; /],
    ['{"src": "the ferry", "tgt": "die"}', /it has the key "src"; /],
    ['{"target": "the ferry"}', /it has nothing to read; /],
  ])('says which line of the data it cannot use: %s', async (line, says) => {
    await writeFile(data, `the ferry\n\n${line}\n`);
    const { code, stdout, stderr } = await runMhe(['swap', model, '-o', output, '--data', data]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^mhe: .*texts\.txt, line 3: [^\n]+$/m);
    expect(stderr).toMatch(says);
  });

  it('writes nothing where nothing matches', async () => {
    const { code, stderr } = await runMhe(['swap', model, '-o', output, '--data', data, '--sites', 'nowhere']);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^mhe: no attention was swapped; .*out was not written$/m);
    expect((await readdir(folder)).sort()).toEqual(['bert-planted', 'texts.txt']);
  });

  it.each<[string, () => Promise<unknown>, () => string[], RegExp]>([
    [
      'texts for a single graph',
      async () => {},
      () => [join(model, 'onnx/model.onnx'), '-o', join(folder, 'x.onnx'), '--data', data],
      /^mhe: --data needs the folder of a transformers\.js model/,
    ],
    [
      'inputs of a graph for a folder',
      () => writeFile(join(folder, 'feeds.jsonl'), '{"input_ids": [[1]]}\n'),
      () => [model, '-o', output, '--calibration', join(folder, 'feeds.jsonl')],
      /^mhe: --calibration gives inputs of one graph; give --data/,
    ],
    [
      'a dtype that it cannot make',
      async () => {},
      () => [model, '-o', output, '--data', data, '--dtype', 'q8'],
      /onnx\/model_quantized\.onnx: it is the q8 file .* convert the result to q8 .*: python -c /,
    ],
    [
      'a dtype that there is none of',
      async () => {},
      () => [model, '-o', output, '--data', data, '--dtype', 'half'],
      /--dtype <types>.* It is one or more of fp32, fp16, /,
    ],
    ['both', async () => {}, () => [model, '-o', output, '--data', data, '--calibration', data], /cannot be used with/],
    [
      'no text',
      () => writeFile(data, '\n \n'),
      () => [model, '-o', output, '--data', data],
      /texts\.txt holds no text; a text a line is expected$/m,
    ],
    [
      'no file',
      async () => {},
      () => [model, '-o', output, '--data', join(folder, 'none')],
      /none: no such file or folder$/m,
    ],
    ['a folder without images', async () => {}, () => [model, '-o', output, '--data', model], /holds no image/],
    [
      'a model without fp32',
      () => rm(join(model, 'onnx/model.onnx')),
      () => [model, '-o', output, '--data', data],
      /bert-planted: it has no onnx\/\*\.onnx/,
    ],
    [
      'the output in the input',
      async () => {},
      () => [model, '-o', join(model, 'small'), '--data', data],
      /it is, or is in, the folder that the model is read from/,
    ],
  ])('refuses %s in one line', async (_, change, args, says) => {
    await change();
    const { code, stdout, stderr } = await runMhe(['swap', ...args()]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(says);
    expect(stderr.match(/^mhe: /gm)).toHaveLength(1);
    expect(await readFile(join(FIXTURES, 'bert-planted/config.json'), 'utf8')).toBe(
      await readFile(join(model, 'config.json'), 'utf8'),
    );
  });
});
