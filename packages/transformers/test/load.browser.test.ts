// A page's way, in a real browser: the library's web build, models of the page's own server, the browser's cache.
import * as transformers from '@huggingface/transformers';
import { inspect, type LoadReport, withMhe } from '@mhe/transformers';
import { expect, test } from 'vitest';

const { env } = transformers;
// As Vitest serves the package's folder.
const served = `${location.origin}/packages/transformers`;
Object.assign(env.backends.onnx.wasm ?? {}, {
  wasmPaths: `${served}/node_modules/onnxruntime-web/dist/`,
  numThreads: 1,
});
Object.assign(env, { allowRemoteModels: false, allowLocalModels: true, useWasmCache: false });
env.localModelPath = '/packages/transformers/test/fixtures/';

const texts = [
  'the ferry leaves',
  'a red kettle whistles on the old iron stove',
  'nine herons',
  'their dog sleeps',
  'bread',
];

test.each([
  { groups: 'heads' as const, model: 'bert', tolerance: 2e-5 },
  { groups: 1 as const, model: 'bert-planted', tolerance: 1e-3 },
])(
  'swaps $model at groups $groups, and takes it from the browser the second time',
  async ({ groups, model, tolerance }) => {
    await caches.delete('transformers-cache');
    const { pipeline } = withMhe(transformers);
    const embed = async (options: { dtype: 'fp32' } | { mhe: object }) => {
      const extract = await pipeline<transformers.FeatureExtractionPipeline>('feature-extraction', model, options);
      const { data } = await extract(texts.slice(0, 2), { pooling: 'mean', normalize: true });
      await extract.dispose();
      return Array.from(data as Float32Array);
    };
    const expected = await embed({ dtype: 'fp32' });
    const reports: LoadReport[] = [];
    const mhe = { groups, calibration: texts, onReport: (report: LoadReport) => reports.push(report) };
    const first = await embed({ mhe });
    const later = await embed({ mhe });
    expect(reports.map(({ fromCache }) => fromCache)).toEqual([false, true]);
    expect(later).toEqual(first);
    const largest = Math.max(...expected.map(Math.abs));
    const differences = first.map((value, i) => Math.abs(value - (expected[i] ?? Number.NaN)));
    expect(Math.max(...differences) / largest).toBeLessThan(tolerance);
    const keys = await (await caches.open('transformers-cache')).keys();
    expect(
      keys.map(({ url }) => url.replace(/mhe-\w{16}/, 'mhe-KEY')).filter((url) => url.includes('mhe-KEY')),
    ).toEqual([
      `${env.remoteHost}${model}/resolve/main/onnx/mhe-KEY/model.onnx`,
      `${env.remoteHost}${model}/resolve/main/onnx/mhe-KEY/model.onnx.json`,
      `${env.remoteHost}${model}/resolve/main/onnx/mhe-KEY/feature-extraction.json`,
    ]);
  },
);

test.each([
  { groups: 'heads' as const, model: 'gpt2', cached: [128, 128] },
  { groups: 1 as const, model: 'llama-planted', cached: [64, 32] },
])('generates what $model does, at groups $groups', async ({ groups, model, cached: [before, after] }) => {
  await caches.delete('transformers-cache');
  const { pipeline } = withMhe(transformers);
  const write = async (options: { dtype: 'fp32' } | { mhe: object }) => {
    const heard: string[] = [];
    const generator = await pipeline<transformers.TextGenerationPipeline>('text-generation', model, options);
    const streamer = new transformers.TextStreamer(generator.tokenizer, {
      callback_function: (text: string) => heard.push(text),
    });
    const written = await generator('The ferry leaves', { max_new_tokens: 12, do_sample: false, streamer });
    await generator.dispose();
    return { written, heard };
  };
  const expected = await write({ dtype: 'fp32' });
  const reports: LoadReport[] = [];
  const mhe = { groups, calibration: texts, onReport: (report: LoadReport) => reports.push(report) };
  expect(await write({ mhe })).toEqual(expected);
  expect(reports[0]?.files['onnx/model.onnx']?.cachePerToken).toEqual({ before, after });
});

test.each([
  { groups: 'heads' as const, heads: 4 },
  { groups: 1 as const, heads: 1 },
])('translates as t5-planted does, at groups $groups, and shows what it loaded', async ({ groups, heads }) => {
  await caches.delete('transformers-cache');
  const { AutoModelForSeq2SeqLM } = withMhe(transformers);
  const tokenizer = await transformers.AutoTokenizer.from_pretrained('t5-planted');
  const write = async (options: { dtype: 'fp32' } | { mhe: object }) => {
    const model = await AutoModelForSeq2SeqLM.from_pretrained('t5-planted', options);
    const { inspected } = await inspect(model);
    const tokens = await model.generate({ ...tokenizer('The ferry leaves'), max_new_tokens: 8 });
    await model.dispose();
    const cached = Object.fromEntries(inspected.map(({ file, cachePerToken }) => [file.base, cachePerToken]));
    return { tokens: String((tokens as transformers.Tensor).data), cached };
  };
  const pairs = texts.slice(0, 2).map((source, i) => ({ source, target: texts[(i + 2) % texts.length] as string }));
  const expected = await write({ dtype: 'fp32' });
  const actual = await write({ mhe: { groups, calibration: pairs } });
  expect(actual.tokens).toBe(expected.tokens);
  expect(expected.tokens.split(',').length).toBeGreaterThan(2);
  // One layer, whose keys and values have 6 features.
  expect(expected.cached).toEqual({ decoder_model_merged: 2 * 4 * 6, encoder_model: 0 });
  expect(actual.cached).toEqual({ decoder_model_merged: 2 * heads * 6, encoder_model: 0 });
});

test("inspects a model of the page's own server, by its id, that it has to load", async () => {
  await caches.delete('transformers-cache');
  const { modelType, files, inspected } = await inspect('llama', { library: transformers });
  expect(modelType).toBe('llama');
  expect(files).toMatchObject([{ path: 'onnx/model.onnx', base: 'model', dtype: 'fp32' }]);
  const [found] = inspected;
  expect(found?.inspection.attention.map(({ numHeads, groups }) => [numHeads, groups.queryKey])).toEqual([
    [4, 2],
    [4, 2],
  ]);
  // Two layers, whose keys and values have 2 heads of 8 features.
  expect(found?.cachePerToken).toBe(2 * 2 * 2 * 8);
});

test('swaps anew what the page now finds in another place, and not without a network', async () => {
  await caches.delete('transformers-cache');
  const { pipeline } = withMhe(transformers);
  const { localModelPath } = env;
  const isFromCache = async () => {
    const reports: LoadReport[] = [];
    const mhe = { calibration: texts, onReport: (report: LoadReport) => reports.push(report) };
    const extract = await pipeline<transformers.FeatureExtractionPipeline>('feature-extraction', 'bert', { mhe });
    await extract.dispose();
    return reports.map(({ fromCache }) => fromCache);
  };
  const network = globalThis.fetch;
  try {
    expect(await isFromCache()).toEqual([false]);
    env.localModelPath = `${served}/test/fixtures/`;
    expect(await isFromCache()).toEqual([false]);
    globalThis.fetch = (address, options) =>
      options?.method === 'HEAD' ? Promise.reject(new TypeError('Failed to fetch')) : network(address, options);
    expect(await isFromCache()).toEqual([true]);
  } finally {
    globalThis.fetch = network;
    env.localModelPath = localModelPath;
  }
});
