import { chmod, copyFile, cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as library from '@huggingface/transformers';
import { encodeModel, readModel } from '@mhe/onnx';
import { type FolderSwapOptions, type FolderWriteOptions, inspectFolder, swapFolder } from '@mhe/transformers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { embed, FIXTURES, type LibraryUnderTest, relativeDifference, samples, texts } from './library-under-test.js';

let folder: string;
let model: string;
let output: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mhe-folder-'));
  model = join(folder, 'bert');
  output = join(folder, 'out');
  await cp(join(FIXTURES, 'bert'), model, { recursive: true });
  Object.assign(library.env, { allowRemoteModels: false, useFSCache: false, localModelPath: `${folder}/` });
});
afterEach(() => rm(folder, { recursive: true }));

const swap = (options: FolderSwapOptions & FolderWriteOptions = {}) =>
  swapFolder(model, output, { calibration: texts(4), ...options });

/** Everything below a folder, by path, with its bytes. */
async function contents(root: string): Promise<Record<string, string>> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Object.fromEntries(
    await Promise.all(files.map(async (file) => [file.slice(root.length + 1), await readFile(file, 'base64')])),
  );
}

const readJson = async (...path: string[]) => JSON.parse(await readFile(join(...path), 'utf8'));

describe('swapFolder', () => {
  it('writes a complete folder with a report and a card, and leaves the original alone', async () => {
    const before = await contents(model);
    const { files, written } = await swap();
    expect(await contents(model)).toEqual(before);
    expect(written?.files.map((file) => file.slice(output.length + 1))).toEqual([
      'README.md',
      'config.json',
      'mhe.json',
      'onnx/model.onnx',
      'tokenizer.json',
      'tokenizer_config.json',
    ]);
    const after = await contents(output);
    expect(Object.keys(after).sort()).toEqual(written?.files.map((file) => file.slice(output.length + 1)));
    expect(written?.byteLength).toBe(
      Object.values(after).reduce((sum, bytes) => sum + Buffer.from(bytes, 'base64').byteLength, 0),
    );
    expect(after['tokenizer.json']).toBe(before['tokenizer.json']);
    expect(await readJson(output, 'config.json')).toEqual({
      ...(await readJson(model, 'config.json')),
      'transformers.js_config': { dtype: 'fp32' },
    });
    const record = await readJson(output, 'mhe.json');
    expect(record).toMatchObject({
      format: 1,
      source: 'bert',
      options: {
        groups: 1,
        embedding: 'mul',
        seed: 0,
        calibration: { inputs: 4, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
      },
      notices: [],
    });
    expect(record.files['onnx/model.onnx']).toEqual(JSON.parse(JSON.stringify(files[0]?.report)));
    const card = await readFile(join(output, 'README.md'), 'utf8');
    expect(card).toMatch(/^---\nlibrary_name: transformers\.js\n---\n\n# bert, with multi-head-embedding attention\n/);
    expect(card).toContain('2 attention blocks swapped. Shared projections: 1 for queries and keys, 1 for values.');
  });

  it.each([
    ['bert', {}, 'feature-extraction', 'AutoModel'],
    // What sentence encoders are often called, after what they were trained as.
    ['mpnet', { architectures: ['MPNetForMaskedLM'] }, 'feature-extraction', 'AutoModel'],
    [
      'distilbert',
      { architectures: ['DistilBertForSequenceClassification'] },
      'text-classification',
      'AutoModelForSequenceClassification',
    ],
    ['vit', {}, 'image-feature-extraction', 'AutoModel'],
    ['clip', {}, 'zero-shot-image-classification', 'AutoModel'],
    ['gpt2', {}, 'text-generation', 'AutoModelForCausalLM'],
    ['gpt2-merged-planted', {}, 'text-generation', 'AutoModelForCausalLM'],
    ['t5-planted', {}, 'text2text-generation', 'AutoModelForSeq2SeqLM'],
    ['whisper-planted', {}, 'automatic-speech-recognition', 'AutoModelForSpeechSeq2Seq'],
  ] as const)('shows in the card how %s is loaded, which loads it', async (name, more, task, autoModel) => {
    const from = join(folder, name);
    await cp(join(FIXTURES, name), from, { recursive: true });
    await writeFile(join(from, 'config.json'), JSON.stringify({ ...(await readJson(from, 'config.json')), ...more }));
    const calibration = samples(library as unknown as LibraryUnderTest, name, 1);
    await swapFolder(from, output, { library, groups: 'heads', sites: [0], calibration });
    const card = await readFile(join(output, 'README.md'), 'utf8');
    const [, shown, options] = /await pipeline\('(.+)', '\.\/path\/to\/this\/folder', (\{.+\})\);\n/.exec(card) ?? [];
    expect(shown).toBe(task);
    expect(card).toContain(
      `\n// Or the model alone: ${autoModel}.from_pretrained('./path/to/this/folder', ${options})\n`,
    );
    const loading = new Function(`return ${options}`)();
    const use = await library.pipeline(task as 'fill-mask', 'out', loading);
    await use.dispose();
    const classes = library as unknown as Record<string, LibraryUnderTest['AutoModel']>;
    const model = (await classes[autoModel]?.from_pretrained('out', loading)) as library.PreTrainedModel;
    expect(use.model.constructor).toBe(model.constructor);
    await model.dispose();
  });

  it('gives the same bytes every time, and other bytes for other texts', async () => {
    await swap();
    await swapFolder(model, join(folder, 'again'), { calibration: texts(4) });
    await swapFolder(model, join(folder, 'other'), { calibration: texts(4, 30) });
    const [one, again, other] = await Promise.all([output, join(folder, 'again'), join(folder, 'other')].map(contents));
    expect(again).toEqual(one);
    expect(other?.['onnx/model.onnx']).not.toBe(one?.['onnx/model.onnx']);
  });

  it('leaves out what still has the original in it, and says so', async () => {
    await copyFile(join(model, 'onnx/model.onnx'), join(model, 'onnx/model_quantized.onnx'));
    await copyFile(join(model, 'onnx/model.onnx'), join(model, 'onnx/model_fp16.onnx'));
    await writeFile(join(model, 'model.safetensors'), 'weights');
    await writeFile(join(model, 'README.md'), '---\nlicense: mit\n---\n\n# A small BERT\n');
    await mkdir(join(model, 'extra'));
    await writeFile(join(model, 'extra/notes.txt'), 'kept');
    const { written } = await swap();
    expect(written?.notices).toEqual([
      "onnx/model_fp16.onnx was left out: it is the original's fp16 file; swap both dtypes, or convert the swapped model.onnx to fp16 anew",
      "onnx/model_quantized.onnx was left out: it is the original's q8 file; convert the swapped model.onnx to q8 anew",
      'model.safetensors was left out: it has the weights of the original',
    ]);
    expect(Object.keys(await contents(output)).sort()).toEqual([
      'README.md',
      'config.json',
      'extra/notes.txt',
      'mhe.json',
      'onnx/model.onnx',
      'tokenizer.json',
      'tokenizer_config.json',
    ]);
    const card = await readFile(join(output, 'README.md'), 'utf8');
    expect(card).toMatch(/^---\nlicense: mit\n---\n/);
    expect(card).toContain('## The card of the original\n\n# A small BERT');
    expect(card).toContain('- onnx/model_quantized.onnx was left out');
  });

  it('swaps the files asked for and takes the others over', async () => {
    const clip = join(FIXTURES, 'clip');
    const { files, written } = await swapFolder(clip, output, { files: ['text_model'], calibration: texts(4) });
    expect(files.map(({ file }) => file.path)).toEqual(['onnx/text_model.onnx']);
    expect(written?.notices).toEqual([
      "onnx/model.onnx is the original's, unchanged",
      "onnx/vision_model.onnx is the original's, unchanged",
    ]);
    const [before, after] = [await contents(clip), await contents(output)];
    expect(after['onnx/vision_model.onnx']).toBe(before['onnx/vision_model.onnx']);
    expect(after['onnx/text_model.onnx']).not.toBe(before['onnx/text_model.onnx']);
  });

  it('keeps weights in a file beside the model where the original has them there', async () => {
    const { bytes, externalData } = encodeModel(await readModel(join(model, 'onnx/model.onnx')), {
      externalData: 'always',
      dataName: 'model.onnx_data',
    });
    expect([...externalData.keys()]).toEqual(['model.onnx_data']);
    await writeFile(join(model, 'onnx/model.onnx'), bytes);
    await writeFile(join(model, 'onnx/model.onnx_data'), externalData.get('model.onnx_data') as Uint8Array);
    const config = await readJson(model, 'config.json');
    const own = { use_external_data_format: { model: 1 }, kv_cache_dtype: 'float32' };
    await writeFile(join(model, 'config.json'), JSON.stringify({ ...config, 'transformers.js_config': own }));
    await swap({ groups: 'heads' });
    expect((await readdir(join(output, 'onnx'))).sort()).toEqual(['model.onnx', 'model.onnx_data']);
    expect((await readJson(output, 'config.json'))['transformers.js_config']).toEqual({
      kv_cache_dtype: 'float32',
      dtype: 'fp32',
      use_external_data_format: { 'model.onnx': 1 },
    });
    const [expected, actual] = [await use('bert'), await use('out')];
    expect(relativeDifference(actual, expected)).toBeLessThan(2e-5);
  });

  const use = (name: string) => embed.run(library as unknown as LibraryUnderTest, name);

  it('replaces a model only by force', async () => {
    await swap();
    await expect(swap()).rejects.toThrow(/out: it holds a model already\. Choose another folder, or use force\.$/);
    const before = await contents(output);
    await swap({ force: true, groups: 2 });
    expect((await contents(output))['onnx/model.onnx']).not.toBe(before['onnx/model.onnx']);
    expect((await readdir(folder)).sort()).toEqual(['bert', 'out']);
  });

  it('writes nothing where nothing could be swapped, or the work was stopped', async () => {
    const { files, written } = await swap({ sites: /nowhere/ });
    expect(written).toBeNull();
    expect(files[0]?.report.swapped).toEqual([]);
    const stop = new AbortController();
    let last = '';
    const stopped = swap({
      signal: stop.signal,
      onProgress: ({ file, stage }) => {
        last = `${file} ${stage}`;
        if (stage === 'fit') stop.abort(new Error('stopped'));
      },
    });
    await expect(stopped).rejects.toThrow('stopped');
    expect(last).toMatch(/^onnx\/model\.onnx (fit|compare)$/);
    expect(await readdir(folder)).toEqual(['bert']);
  });

  it('skips attention by name, before any fit, whose caches have heads and batch in one axis', async () => {
    const merged = new URL('../../onnx/test/fixtures/decoy-merged-caches-script13.onnx', import.meta.url);
    await copyFile(merged, join(model, 'onnx/model.onnx'));
    const stages: string[] = [];
    const { files, written } = await swap({ groups: 2, onProgress: ({ stage }) => stages.push(stage) });
    expect({ written, stages }).toEqual({ written: null, stages: [] });
    expect(files[0]?.report.skipped).toMatchObject([
      { name: '/Softmax', reason: expect.stringMatching(/it is lost at \/Concat/) },
    ]);
  });

  it('says that made-up inputs were used where there are none', async () => {
    const { files } = await swapFolder(model, output);
    expect(files[0]?.report.calibration.kind).toBe('synthetic');
    expect(await readFile(join(output, 'README.md'), 'utf8')).toContain('MADE-UP');
  });

  it('counts the inputs that a file has no use for', async () => {
    const { files } = await swap({ calibration: [...texts(3), { image: 'unread.png' }] });
    expect(files[0]?.report.notices.at(-1)).toBe('1 of 4 calibration inputs were not used: they lack text');
  });
});

describe('dtypes', () => {
  const half = join(FIXTURES, 'bert-half-planted');
  const embedHalf = async (name: string, options: object) => {
    const extract = await library.pipeline('feature-extraction', name, options);
    const { data } = await extract(texts(3, 50), { pooling: 'mean', normalize: true });
    await extract.dispose();
    return Array.from(data as Float32Array);
  };

  it('swaps half precision as it is where there is no fp32 file, and the library takes it without being told', async () => {
    const { files } = await swapFolder(half, output, { library, groups: 1, calibration: texts(60) });
    expect(files.map(({ file }) => file.path)).toEqual(['onnx/model_fp16.onnx']);
    expect(files[0]?.report.swapped.map(({ groups }) => groups.queryKey)).toEqual([1, 1]);
    expect(files[0]?.report.bytes.after).toBeLessThan((files[0]?.report.parameters.after ?? 0) * 2.1);
    expect((await readJson(output, 'config.json'))['transformers.js_config']).toEqual({ dtype: 'fp16' });
    await cp(half, join(folder, 'half'), { recursive: true });
    const [expected, actual] = [await embedHalf('half', { dtype: 'fp16' }), await embedHalf('out', {})];
    expect(relativeDifference(actual, expected)).toBeLessThan(5e-3);
    expect(relativeDifference(actual, expected)).toBeGreaterThan(0);
  });

  it('swaps the dtypes asked for, each from its own file', async () => {
    await copyFile(join(half, 'onnx/model_fp16.onnx'), join(model, 'onnx/model_fp16.onnx'));
    await copyFile(join(model, 'onnx/model.onnx'), join(model, 'onnx/model_quantized.onnx'));
    const { files, written } = await swap({ dtypes: ['fp32', 'fp16'] });
    expect(files.map(({ file }) => file.path)).toEqual(['onnx/model.onnx', 'onnx/model_fp16.onnx']);
    expect(written?.notices).toHaveLength(1);
    const card = await readFile(join(output, 'README.md'), 'utf8');
    expect(card).toContain(
      "quantize_dynamic('onnx/model.onnx', 'onnx/model_quantized.onnx', per_channel=True, weight_type=QuantType.QInt8",
    );
  });

  it('shows the command of q8 with unsigned weights where there are convolutions, as the library converts them', async () => {
    const vit = join(folder, 'vit');
    await cp(join(FIXTURES, 'vit'), vit, { recursive: true });
    for (const name of ['quantized', 'int8'])
      await copyFile(join(vit, 'onnx/model.onnx'), join(vit, `onnx/model_${name}.onnx`));
    const calibration = samples(library as unknown as LibraryUnderTest, 'vit', 1);
    await swapFolder(vit, output, { library, groups: 'heads', calibration });
    const card = await readFile(join(output, 'README.md'), 'utf8');
    for (const [name, weights] of [
      ['quantized', 'QUInt8'],
      ['int8', 'QInt8'],
    ]) {
      expect(card).toContain(`'onnx/model_${name}.onnx', per_channel=True, weight_type=QuantType.${weights},`);
    }
  });

  it.each<[string, FolderSwapOptions, RegExp]>([
    [
      'q8',
      { dtypes: ['q8'] },
      /^onnx\/model_quantized\.onnx: it is the q8 file of model, .* convert the result to q8 \(QuantType\.QUInt8 for a model with convolutions\): python -c "from onnxruntime/,
    ],
    ['q4', { dtypes: ['q4'] }, /convert the result to q4 with the tools of onnxruntime\.quantization/],
    [
      'an fp16 file that is not there',
      { dtypes: ['fp16'] },
      /bert: it has no onnx\/model_fp16\.onnx\. Name another: onnx\/ holds model\.onnx, or/,
    ],
  ])('refuses %s, and says what makes it', async (_, options, says) => {
    const error = await swap(options).catch((cause: Error) => cause);
    expect((error as Error).message).toMatch(says);
    expect((error as Error).message).not.toContain('\n');
  });
});

describe('refusals', () => {
  const edit = async (change: (config: Record<string, unknown>) => void) => {
    const config = await readJson(model, 'config.json');
    change(config);
    await writeFile(join(model, 'config.json'), JSON.stringify(config));
  };
  const quantise = async () => {
    const { proto, ...rest } = await readModel(join(model, 'onnx/model.onnx'));
    const [first] = proto.graph?.node ?? [];
    if (first) first.opType = 'MatMulInteger';
    await writeFile(join(model, 'onnx/model.onnx'), encodeModel({ proto, ...rest }).bytes);
  };
  const quantiseBranch = async () => {
    const { proto, ...rest } = await readModel(join(FIXTURES, 'gpt2-merged-planted/onnx/decoder_model_merged.onnx'));
    const inner = proto.graph?.node[0]?.attribute[0]?.g?.node[0];
    if (inner) inner.opType = 'MatMulInteger';
    await writeFile(join(model, 'onnx/model.onnx'), encodeModel({ proto, ...rest }).bytes);
  };
  const quantiseWeights = async () => {
    const { proto, ...rest } = await readModel(join(model, 'onnx/model.onnx'));
    const { initializer, node } = proto.graph as NonNullable<typeof proto.graph>;
    const [weights] = initializer;
    const cast = node.find(({ opType, attribute }) => opType === 'Cast' && attribute[0]?.i === 1n);
    if (weights) initializer.push({ ...weights, name: 'weights_q', dataType: 3 });
    if (cast) cast.input[0] = 'weights_q';
    await writeFile(join(model, 'onnx/model.onnx'), encodeModel({ proto, ...rest }).bytes);
  };
  const onnx = (name: string) => join(model, 'onnx', name);
  const renamed = async (name: string) => {
    await copyFile(onnx('model.onnx'), onnx(name));
    await rm(onnx('model.onnx'));
  };

  it.each<[string, () => Promise<unknown>, FolderSwapOptions, RegExp]>([
    ['a folder that is not there', () => rm(model, { recursive: true }), {}, /bert: there is no such folder\./],
    ['no config.json', () => rm(join(model, 'config.json')), {}, /bert: it has no config\.json, so it is no model/],
    ['a damaged config.json', () => writeFile(join(model, 'config.json'), '{'), {}, /config\.json: it is no JSON\./],
    ['no model type', () => edit((config) => delete config.model_type), {}, /config\.json: it names no model_type/],
    ['no model file', () => rm(onnx('model.onnx')), {}, /bert: it has no onnx\/\*\.onnx\./],
    [
      'only a quantised file',
      () => renamed('model_quantized.onnx'),
      {},
      /it has no fp32 or fp16 file \(onnx\/ holds model_quantized\.onnx\)/,
    ],
    [
      'a quantised file asked for',
      () => copyFile(onnx('model.onnx'), onnx('model_q4.onnx')),
      { files: ['model_q4'] },
      /onnx\/model_q4\.onnx: it is the q4 file of model, and the swap needs the fp32 or fp16 one\. Swap model\.onnx/,
    ],
    ['a quantised model under the name of fp32', quantise, {}, /model\.onnx: it is quantised \(it has MatMulInteger\)/],
    [
      'a merged decoder of which a branch is quantised',
      quantiseBranch,
      {},
      /model\.onnx: it is quantised \(it has MatMulInteger\)/,
    ],
    [
      'a model whose weights alone are quantised',
      quantiseWeights,
      {},
      /model\.onnx: it is quantised \(it has weights of 8 bits, weights_q\)/,
    ],
    [
      'a file that is not there',
      async () => {},
      { files: ['text_model'] },
      /bert: it has no onnx\/text_model\.onnx\. Name another: onnx\/ holds model\.onnx\./,
    ],
    ['a damaged model', () => writeFile(onnx('model.onnx'), 'no model'), {}, /model\.onnx: /],
    [
      'no tokenizer',
      () => rm(join(model, 'tokenizer.json')),
      {},
      /bert: the tokenizer, which reads the calibration inputs, cannot be loaded \(.+\)\. Take tokenizer\.json and/,
    ],
    [
      'a damaged tokenizer',
      () => writeFile(join(model, 'tokenizer.json'), '<html>'),
      {},
      /bert: the tokenizer, which reads the calibration inputs, cannot be loaded \(.+JSON\)/,
    ],
    ...(
      [
        ['one file for a list', { files: 'model' }, /^files: "model" is not possible; give 'all', or a list of names/],
        ['a list of no files', { files: [] }, /^files: \[\] is not possible/],
        ['one dtype for a list', { dtypes: 'fp32' }, /^dtypes: "fp32" is not possible; give a list of dtypes/],
        ['a dtype that is none', { dtypes: ['float16'] }, /^dtypes: \["float16"\] is not possible/],
        [
          'an option that is none',
          { dtype: 'fp16' },
          /^dtype: there is no such option; there are .*library, files, dtypes$/,
        ],
        ['a library that is none', { library: {} }, /^library: it is no transformers\.js; give what `import/],
      ] as [string, object, RegExp][]
    ).map(([what, options, says]): [string, () => Promise<void>, FolderSwapOptions, RegExp] => [
      what,
      async () => {},
      options,
      says,
    ]),
    [
      'calibration of another kind',
      async () => {},
      { calibration: [{ audio: new Float32Array(9) }] },
      /model\.onnx: it needs text, and none of the 1 calibration inputs has that\. Give inputs such as \{ text: \.\.\. \}/,
    ],
    ['no calibration input', async () => {}, { calibration: [] }, /^calibration: there is no input in it/],
    [
      'one text for a list',
      async () => {},
      { calibration: 'the ferry' },
      /^calibration: give a list of texts, not one text$/,
    ],
    ['more groups than heads', async () => {}, { groups: 5 }, /groups/],
  ])('says in one line what is wrong with %s', async (_, change, options, says) => {
    await change();
    const before = (await readdir(folder)).sort();
    const error = await swap(options).catch((cause: Error) => cause);
    expect(error).toBeInstanceOf(Error);
    expect((error as Error).message).toMatch(says);
    expect((error as Error).message).not.toContain('\n');
    expect((await readdir(folder)).sort()).toEqual(before);
  });

  // The superuser may write everywhere.
  it.skipIf(process.getuid?.() === 0 || process.platform === 'win32')(
    'says before any work that it may not write there',
    async () => {
      await mkdir(join(folder, 'closed'));
      await chmod(join(folder, 'closed'), 0o555);
      const work: string[] = [];
      const options = { calibration: texts(2), onProgress: ({ stage }: { stage: string }) => work.push(stage) };
      await expect(swapFolder(model, join(folder, 'closed/out'), options)).rejects.toThrow(
        /out: it cannot be written \(EACCES\)\. [^\n]+$/,
      );
      expect(work).toEqual([]);
    },
  );

  it.each<[string, () => string, RegExp]>([
    ['the input', () => model, /bert: it is, or is in, the folder that the model is read from/],
    ['a folder in the input', () => join(model, 'small'), /small: it is, or is in, the folder/],
    [
      'a folder in a folder that is not there',
      () => join(folder, 'a/b'),
      /b: there is no folder .*a\. Create it first\.$/,
    ],
    ['a folder of other files', () => join(model, '..'), /it holds files, and no model/],
    ['a file', () => join(model, 'config.json'), /config\.json: it is/],
  ])('does not write to %s, not even by force', async (_, place, says) => {
    const before = await contents(folder);
    await expect(swapFolder(model, place(), { force: true, calibration: texts(2) })).rejects.toThrow(says);
    expect(await contents(folder)).toEqual(before);
  });
});

describe('inspectFolder', () => {
  it('refuses options that there are not', async () => {
    await expect(inspectFolder(model, { file: ['model'] } as object)).rejects.toThrow(
      /^file: there is no such option; there are files, signal, numHeads$/,
    );
    await expect(inspectFolder(model, { files: 'model' } as object)).rejects.toThrow(/^files: "model" is not possible/);
  });

  it('shows the files and the attention in those of fp32', async () => {
    await copyFile(join(model, 'onnx/model.onnx'), join(model, 'onnx/model_int8.onnx'));
    const { modelType, files, inspected } = await inspectFolder(model);
    expect(modelType).toBe('bert');
    expect(files.map(({ path, base, dtype }) => ({ path, base, dtype }))).toEqual([
      { path: 'onnx/model.onnx', base: 'model', dtype: 'fp32' },
      { path: 'onnx/model_int8.onnx', base: 'model', dtype: 'int8' },
    ]);
    expect(inspected.map(({ file }) => file.path)).toEqual(['onnx/model.onnx']);
    const { attention, skipped } = inspected[0]?.inspection ?? {};
    expect(skipped).toEqual([]);
    expect(attention?.map(({ numHeads, headDim, kind }) => ({ numHeads, headDim, kind }))).toEqual([
      { numHeads: 4, headDim: 8, kind: 'self' },
      { numHeads: 4, headDim: 8, kind: 'self' },
    ]);
  });

  it('shows the files of both towers', async () => {
    const { inspected } = await inspectFolder(join(FIXTURES, 'clip'));
    expect(inspected.map(({ file, inspection }) => [file.base, inspection.attention.length])).toEqual([
      ['model', 2],
      ['text_model', 1],
      ['vision_model', 1],
    ]);
  });

  it.each([
    { name: 'gpt2-planted', groups: { queryKey: 1, value: 2 } },
    { name: 'llama-planted', groups: 1 },
    { name: 'bart-planted', groups: { queryKey: 1, value: 'heads' } },
  ] as const)('tells the cache of $name before a swap and after it', async ({ name, groups }) => {
    const calibration = texts(3);
    const { files } = await swapFolder(join(FIXTURES, name), output, { groups, calibration });
    const figures = async (from: string) => (await inspectFolder(from)).inspected.map((file) => file.cachePerToken);
    expect(files[0]?.report.cachePerToken.after).toBeGreaterThan(0);
    expect(await figures(join(FIXTURES, name))).toEqual(files.map(({ report }) => report.cachePerToken.before));
    expect(await figures(output)).toEqual(files.map(({ report }) => report.cachePerToken.after));
  });
});
