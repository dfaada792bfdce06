import { copyFile, cp, mkdtemp, readdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { inspect, type LoadReport, withMhe } from '@mhe/transformers';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  embed,
  FIXTURES,
  type LibraryUnderTest,
  relativeDifference,
  samples,
  type Tensor,
  texts,
  USES,
} from './library-under-test.js';
import { type Answer, withHub } from './local-hub.js';

/** A model as versions 3 and 4 have it. */
interface SeveralFiles {
  readonly sessions: Readonly<Record<string, { run(feeds: object): Promise<Record<string, Tensor>> }>>;
  dispose(): Promise<unknown>;
}

/** What a pipeline keeps of a model of one file. */
const SWAPPED = ['feature-extraction.json', 'model.onnx', 'model.onnx.json'];

/** Models loaded by one version of the library with `mhe`. */
export function loadSuite(library: LibraryUnderTest, major: 2 | 3 | 4): void {
  let cache: string;
  beforeEach(async () => {
    cache = await mkdtemp(join(tmpdir(), 'mhe-cache-'));
    const models = { allowLocalModels: true, localModelPath: FIXTURES, allowRemoteModels: false };
    Object.assign(library.env, {
      ...models,
      useFSCache: true,
      cacheDir: cache,
      useCustomCache: false,
      customCache: null,
    });
  });
  afterEach(() => rm(cache, { recursive: true }));

  /** The library, all of whose loads in `run` are given `mhe`. */
  function swapping(mhe: object | boolean | null): LibraryUnderTest {
    const wrapped = withMhe(library) as unknown as LibraryUnderTest;
    const pretrained = (name: 'CLIPTextModelWithProjection' | 'CLIPVisionModelWithProjection' | 'PreTrainedModel') => ({
      from_pretrained: (id: string, options?: object) => wrapped[name].from_pretrained(id, { ...options, mhe }),
    });
    return {
      ...wrapped,
      pipeline: (task, id, options) => wrapped.pipeline(task, id, { ...options, mhe }),
      CLIPTextModelWithProjection: pretrained('CLIPTextModelWithProjection'),
      CLIPVisionModelWithProjection: pretrained('CLIPVisionModelWithProjection'),
      PreTrainedModel: pretrained('PreTrainedModel'),
    };
  }

  const cachedFiles = async () =>
    (await readdir(cache, { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(cache.length + 1))
      .sort();

  describe('withMhe', () => {
    const loads = Object.entries(USES).flatMap(([model, uses]) => uses.map((use) => ({ model, use, name: use.name })));
    it.each(loads)(
      'gives the numbers of the original through $name of $model, first and later',
      async ({ model, use }) => {
        const expected = await use.run(library, model);
        const reports: LoadReport[] = [];
        const mhe = {
          groups: 'heads',
          calibration: samples(library, model, 3),
          onReport: (each: LoadReport) => reports.push(each),
        };
        const first = await use.run(swapping(mhe), model);
        const files = await cachedFiles();
        const later = await use.run(swapping(mhe), model);
        expect(relativeDifference(first, expected)).toBeLessThan(2e-5);
        expect(later).toEqual(first);
        expect(reports.map(({ fromCache }) => fromCache)).toEqual([false, true]);
        expect(reports[1]?.files).toEqual(reports[0]?.files);
        expect(await cachedFiles()).toEqual(files);
      },
    );

    it('brings heads that share back, and keeps each set of options apart', async () => {
      const expected = await embed.run(library, 'bert-planted');
      const actual = await embed.run(swapping({ groups: 1, calibration: texts(60) }), 'bert-planted');
      expect(relativeDifference(actual, expected)).toBeLessThan(1e-4);
      await embed.run(swapping({ groups: 2, calibration: texts(6) }), 'bert-planted');
      const files = await cachedFiles();
      expect(files.map((file) => file.replace(/mhe-[0-9a-f]{16}/, 'mhe-KEY'))).toEqual(
        [...SWAPPED, ...SWAPPED].map((name) => join('bert-planted', 'onnx', 'mhe-KEY', name)),
      );
      const [one, two] = await Promise.all(
        files.filter((file) => file.endsWith('.onnx')).map((file) => stat(join(cache, file))),
      );
      expect(one?.size).not.toBe(two?.size);
    });

    it('swaps once for all classes and tasks, and anew where a swapped file is gone', async () => {
      const reports: LoadReport[] = [];
      const mhe = { calibration: texts(4), onReport: (each: LoadReport) => reports.push(each) };
      const load = () => withMhe(library).AutoModel.from_pretrained('bert', { mhe } as object) as Promise<SeveralFiles>;
      const expected = await embed.run(swapping(mhe), 'bert');
      for (const _ of [1, 2]) await (await load()).dispose();
      const files = await cachedFiles();
      expect(files.map((file) => basename(file))).toEqual(['AutoModel.json', ...SWAPPED]);
      const swapped = files.find((file) => file.endsWith('.onnx')) as string;
      await rm(join(cache, swapped));
      await (await load()).dispose();
      expect(await embed.run(swapping(mhe), 'bert')).toEqual(expected);
      expect(await cachedFiles()).toEqual(files);
      expect(reports.map(({ fromCache }) => fromCache)).toEqual([false, true, true, false, true]);
      for (const each of reports) expect(each.files).toEqual(reports[0]?.files);
    });

    it('loads as the library does without the option', async () => {
      const { AutoModel, AutoTokenizer } = withMhe(library);
      expect(AutoTokenizer).toBe(library.AutoTokenizer);
      const model = await AutoModel.from_pretrained('bert', major === 2 ? { quantized: false } : { dtype: 'fp32' });
      expect(model).toBeInstanceOf(library.PreTrainedModel);
      expect(model).toBeInstanceOf((withMhe(library) as unknown as LibraryUnderTest).PreTrainedModel);
      expect(await cachedFiles()).toEqual([]);
      await (model as { dispose(): Promise<unknown> }).dispose();
    });

    it.each([null, false] as const)('loads as the library does where the option is %s', async (mhe) => {
      const expected = await embed.run(library, 'bert');
      expect(await embed.run(swapping(mhe), 'bert')).toEqual(expected);
      expect(await cachedFiles()).toEqual([]);
    });

    it('tells the console what the report has to say, once, where nobody asks for the report', async () => {
      const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
      try {
        const load = async (mhe: object) => (await swapping(mhe).pipeline('feature-extraction', 'bert', {})).dispose();
        const mhe = { groups: { queryKey: 1, value: 1 } };
        await load(mhe);
        const told = warn.mock.calls.flat().filter((line) => String(line).startsWith('[mhe]'));
        expect(told).toEqual([
          expect.stringMatching(/^\[mhe\] bert, onnx\/model\.onnx: the calibration inputs are made up/),
        ]);
        warn.mockClear();
        await load(mhe);
        await load({ ...mhe, seed: 1, onReport: () => {} });
        expect(warn.mock.calls.flat().filter((line) => String(line).startsWith('[mhe]'))).toEqual([]);
      } finally {
        warn.mockRestore();
      }
    });

    it('refuses what there is not in one line, also where the default is in the cache', async () => {
      const mhe = { calibration: { synthetic: { sequences: 2, length: 8 } } };
      await (await swapping(mhe).pipeline('feature-extraction', 'bert', {})).dispose();
      const files = await cachedFiles();
      const refused: [unknown, RegExp][] = [
        [true, /^mhe: true is not possible; give an object such as/],
        [[1], /^mhe: \[1\] is not possible/],
        [{ ...mhe, group: 2 }, /^group: there is no such option; there are groups, .*onReport$/],
        [{ calibration: { synthetic: { ...mhe.calibration.synthetic, seeds: 1 } } }, /^seeds: there is no such option/],
        [{ calibration: Promise.resolve(texts(2)) }, /^calibration: it is no list; give an array .*awaited$/],
        [{ calibration: null }, /^calibration: it is no list/],
        [{ ...mhe, embedding: 'times' }, /^embedding: "times" is not possible/],
        [{ ...mhe, signal: AbortSignal.abort(new Error('stopped')) }, /^stopped$/],
      ];
      for (const [given, says] of refused) {
        const load = swapping(given as object).pipeline('feature-extraction', 'bert', {});
        await expect(load).rejects.toThrow(says);
      }
      expect(await cachedFiles()).toEqual(files);
    });

    it.each<[string, string, RegExp]>([
      ['a pointer of Git LFS', 'version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n', /Git LFS pointer/],
      ['a web page', '<!DOCTYPE html><html></html>', /web page/],
      ['an empty file', '', /it is empty/],
    ])('says in one line that the model file is %s, and keeps nothing', async (_, content, says) => {
      const models = join(cache, 'models');
      await cp(join(FIXTURES, 'bert'), join(models, 'bert'), { recursive: true });
      await writeFile(join(models, 'bert/onnx/model.onnx'), content);
      library.env.localModelPath = `${models}/`;
      const before = await cachedFiles();
      const load = () => swapping({ calibration: texts(2) }).pipeline('feature-extraction', 'bert', {});
      for (const run of [load, () => inspect('bert', { library })]) {
        const error = await run().catch((cause: Error) => cause);
        expect(error).toMatchObject({ name: 'OnnxFileError', message: expect.stringMatching(says) });
        expect((error as Error).message).toMatch(/^bert\/onnx\/model\.onnx: [^\n]+$/);
      }
      expect(await cachedFiles()).toEqual(before);
    });

    it('says in one line that the model has no tokenizer to read calibration texts', async () => {
      const models = join(cache, 'models');
      await cp(join(FIXTURES, 'bert'), join(models, 'bert'), { recursive: true });
      for (const name of ['tokenizer.json', 'tokenizer_config.json']) await rm(join(models, 'bert', name));
      library.env.localModelPath = `${models}/`;
      const { AutoModel } = withMhe(library);
      const load = AutoModel.from_pretrained('bert', { mhe: { calibration: texts(2) } } as object);
      await expect(load).rejects.toThrow(
        /^bert: the tokenizer, which reads the calibration inputs, cannot be loaded [^\n]+$/,
      );
    });

    it('swaps anew where a local model has changed', async () => {
      const models = join(cache, 'models');
      await cp(join(FIXTURES, 'bert'), join(models, 'bert'), { recursive: true });
      library.env.localModelPath = `${models}/`;
      const reports: LoadReport[] = [];
      const mhe = { calibration: texts(4), onReport: (each: LoadReport) => reports.push(each) };
      await embed.run(swapping(mhe), 'bert');
      await utimes(join(models, 'bert/onnx/model.onnx'), 1e9, 1e9);
      await embed.run(swapping(mhe), 'bert');
      await embed.run(swapping(mhe), 'bert');
      expect(reports.map(({ fromCache }) => fromCache)).toEqual([false, false, true]);
    });

    it('tells the progress of the files that it loads, and is ready once', async () => {
      const infos: { status: string; file?: string }[] = [];
      const options = { progress_callback: (info: { status: string; file?: string }) => infos.push(info) };
      const mhe = { calibration: texts(4) };
      const first = await swapping(mhe).pipeline('feature-extraction', 'bert', options);
      await first.dispose();
      const done = infos.filter(({ status }) => status === 'done').map(({ file }) => file);
      expect(done).toContain('onnx/model.onnx');
      expect(done.at(-1)).toMatch(/^onnx\/mhe-\w{16}\/model\.onnx$|\.json$/);
      expect(infos.filter(({ status }) => status === 'ready')).toHaveLength(1);
      infos.length = 0;
      const later = await swapping(mhe).pipeline('feature-extraction', 'bert', options);
      await later.dispose();
      const onnx = infos.filter(({ status, file }) => status === 'done' && file?.endsWith('.onnx'));
      expect(onnx.map(({ file }) => file)).toEqual([expect.stringMatching(/^onnx\/mhe-\w{16}\/model\.onnx$/)]);
      // Only version 4 tells the progress of all files together.
      const totals = infos.filter(({ status }) => status === 'progress_total');
      expect(totals.length > 0).toBe(major === 4);
      if (major === 4) expect(totals.at(-1)).toMatchObject({ progress: 100 });
    });

    it('takes models of the hub, by revision, and asks for nothing the second time', async () => {
      const load = async () => {
        const wrapped = swapping({ groups: 'heads', calibration: texts(3) });
        const use = await wrapped.pipeline('feature-extraction', 'someone/bert', { revision: 'v1' });
        const { data } = (await use('the ferry leaves', { pooling: 'mean' })) as Tensor;
        await use.dispose();
        return Array.from(data);
      };
      await withHub(library, async ({ asked }) => {
        const first = await load();
        expect(asked).toContain('/someone/bert/resolve/v1/onnx/model.onnx');
        expect(asked.filter((path) => path.includes('mhe-'))).toEqual([]);
        const swapped = (await cachedFiles()).filter((file) => file.includes('mhe-'));
        expect(swapped.map((file) => file.replace(/mhe-\w{16}/, 'mhe-KEY'))).toEqual(
          SWAPPED.map((name) => join('someone/bert/v1/onnx/mhe-KEY', name)),
        );
        asked.length = 0;
        expect(await load()).toEqual(first);
        expect(asked.filter((path) => path.includes('onnx'))).toEqual([]);
      });
    });

    it('swaps every file of a model of several, where the version can load them from another place', async () => {
      // What the library takes for a SAM: two files, here both of the ViT, whose processor it has.
      const models = join(cache, 'models');
      await cp(join(FIXTURES, 'vit'), join(models, 'sam'), { recursive: true });
      const onnx = join(models, 'sam/onnx');
      await copyFile(join(onnx, 'model.onnx'), join(onnx, 'prompt_encoder_mask_decoder.onnx'));
      await rename(join(onnx, 'model.onnx'), join(onnx, 'vision_encoder.onnx'));
      await writeFile(join(models, 'sam/config.json'), '{"model_type":"sam"}');
      library.env.localModelPath = `${models}/`;
      const reports: LoadReport[] = [];
      const mhe = {
        groups: 'heads',
        calibration: samples(library, 'vit', 2),
        onReport: (each: LoadReport) => reports.push(each),
      };
      const load = () => withMhe(library).AutoModel.from_pretrained('sam', { mhe } as object) as Promise<SeveralFiles>;
      if (major === 2) {
        await expect(load()).rejects.toThrow(
          /^sam: transformers\.js 2 has no option to load 2 files from another place\./,
        );
        return;
      }
      const options = { dtype: 'fp32' };
      const plain = (await library.AutoModel.from_pretrained('sam', options)) as SeveralFiles;
      const [first, later] = [await load(), await load()];
      const processor = (await library.AutoProcessor.from_pretrained('sam')) as (image: unknown) => Promise<object>;
      const { pixel_values } = (await processor((samples(library, 'vit', 1)[0] as { image: object }).image)) as {
        pixel_values: { ort_tensor: object };
      };
      const outputs = async (model: SeveralFiles, name: string) => {
        const session = model.sessions[name] as SeveralFiles['sessions'][string];
        const { last_hidden_state } = await session.run({ pixel_values: pixel_values.ort_tensor });
        return Array.from((last_hidden_state as Tensor).data);
      };
      for (const name of Object.keys(plain.sessions)) {
        const expected = await outputs(plain, name);
        expect(relativeDifference(await outputs(first, name), expected), name).toBeLessThan(2e-5);
        expect(await outputs(later, name)).toEqual(await outputs(first, name));
      }
      expect(reports.map(({ fromCache }) => fromCache)).toEqual([false, true]);
      expect(Object.values(reports[1]?.files ?? {}).map(({ swapped }) => swapped.length)).toEqual([2, 2]);
      expect((await inspect(later)).inspected.map(({ file }) => basename(file.path))).toEqual([
        'prompt_encoder_mask_decoder.onnx',
        'vision_encoder.onnx',
      ]);
      for (const model of [plain, first, later]) await model.dispose();
    });

    it('swaps half precision as it is, apart from fp32', async () => {
      const half = major === 2 ? { model_file_name: 'model_fp16', quantized: false } : { dtype: 'fp16' };
      const use = async (loaded: LibraryUnderTest) => {
        const extract = await loaded.pipeline('feature-extraction', 'bert-half-planted', { ...half });
        const { data } = (await extract(texts(3, 50), { pooling: 'mean' })) as Tensor;
        await extract.dispose();
        return Array.from(data);
      };
      const expected = await use(library);
      const mhe = { groups: 1, calibration: texts(60) };
      if (major === 2) {
        await expect(use(swapping(mhe))).rejects.toThrow(
          /^onnx\/model_fp16\.onnx: the ONNX Runtime of transformers\.js 2/,
        );
        return;
      }
      const [first, later] = [await use(swapping(mhe)), await use(swapping(mhe))];
      expect(relativeDifference(first, expected)).toBeLessThan(5e-3);
      expect(later).toEqual(first);
      expect((await cachedFiles()).map((file) => basename(file))).toEqual([
        'feature-extraction.fp16.json',
        'model_fp16.onnx',
        'model_fp16.onnx.json',
      ]);
    });

    it("uses a user's own cache", async () => {
      const kept = new Map<string, Uint8Array>();
      const customCache = {
        match: async (key: string) => {
          const bytes = kept.get(key);
          return (
            bytes &&
            new Response(bytes as Uint8Array<ArrayBuffer>, { headers: { 'content-length': `${bytes.length}` } })
          );
        },
        put: async (key: string, response: Response) => {
          kept.set(key, new Uint8Array(await response.arrayBuffer()));
        },
      };
      Object.assign(library.env, { useCustomCache: true, customCache, useFSCache: false });
      const expected = await embed.run(library, 'bert');
      const actual = await embed.run(swapping({ groups: 'heads', calibration: texts(6) }), 'bert');
      expect(relativeDifference(actual, expected)).toBeLessThan(2e-5);
      expect([...kept.keys()].map((key) => key.replace(/mhe-\w{16}/, 'mhe-KEY'))).toEqual(
        ['model.onnx', 'model.onnx.json', 'feature-extraction.json'].map(
          (name) => `${library.env.remoteHost}bert/resolve/main/onnx/mhe-KEY/${name}`,
        ),
      );
    });

    it.each([
      {
        options: { dtype: 'q8', quantized: true },
        mhe: {},
        says: /^bert: (dtype: 'q8'|quantized: true) asks for quantised weights/,
      },
      ...(major === 2
        ? [{ options: { dtype: 'fp16' }, mhe: {}, says: /^bert: dtype: 'fp16' says nothing to transformers\.js 2/ }]
        : []),
      { options: {}, mhe: { sites: () => true }, says: /^bert: sites is a function/ },
      {
        options: {},
        mhe: { calibration: [{ audio: new Float32Array(4) }] },
        says: /^onnx\/model\.onnx: it needs text, and none/,
      },
      { options: {}, mhe: { calibration: [] }, says: /^calibration: there is no input in it/ },
      { options: {}, mhe: { groups: 9 }, says: /groups/ },
    ])('refuses in one line, and keeps nothing: $says', async ({ options, mhe, says }) => {
      const error = await swapping(mhe)
        .pipeline('feature-extraction', 'bert', options)
        .catch((cause: Error) => cause);
      expect(error).toBeInstanceOf(Error);
      expect((error as Error).message).toMatch(says);
      expect((error as Error).message).not.toContain('\n');
      expect(await cachedFiles()).toEqual([]);
    });

    it('refuses where the library keeps nothing', async () => {
      library.env.useFSCache = false;
      await expect(swapping({}).pipeline('feature-extraction', 'bert', {})).rejects.toThrow(
        /^bert: transformers\.js is set to use no cache[^\n]*$/,
      );
    });

    it.each<[string, string, Answer, RegExp]>([
      [
        'a gated model',
        'gated/bert',
        () => ({ status: 401 }),
        /^gated\/bert: \S+\.json may not be read: .*HF_TOKEN\.$/,
      ],
      [
        'a file that is forbidden',
        'some/bert',
        (path) => (path.endsWith('.onnx') ? { status: 403 } : null),
        /^some\/bert: \S+\/model\.onnx may not/,
      ],
      [
        'an id of no model',
        'someone/nothing',
        () => null,
        /^someone\/nothing: it has no \w+\.json \(\S+\), or there is no such model\. Check the id and the revision\.$/,
      ],
      [
        'no fp32 file',
        'someone/bert',
        (path) => (path.endsWith('.onnx') ? { status: 404 } : null),
        /^someone\/bert: it has no onnx\/model\.onnx \(http\S+\)\. The swap needs the fp32 or fp16 file/,
      ],
      [
        'a server that is down',
        'someone/bert',
        () => ({ status: 503 }),
        /^someone\/bert: the server cannot give \S+ now\. Try again later\.$/,
      ],
      [
        'an unknown model type',
        'odd/bert',
        (path) => (path.endsWith('/config.json') ? { status: 200, body: '{"model_type":"odd"}' } : null),
        /^odd\/bert: this version of transformers\.js cannot load models of type odd so\. /,
      ],
    ])('says in one line what is wrong with %s, and keeps nothing of it', async (_, id, answer, says) => {
      const load = () => swapping({}).pipeline('text-classification', id, {});
      const error = await withHub(library, () => load().catch((cause: Error) => cause), answer);
      expect((error as Error).message).toMatch(says);
      expect((error as Error).message).not.toContain('\n');
      expect((await cachedFiles()).filter((file) => /mhe-|\.onnx/.test(file))).toEqual([]);
    });

    it('says in one line that there is no network', async () => {
      const { remoteHost } = library.env;
      Object.assign(library.env, {
        allowLocalModels: false,
        allowRemoteModels: true,
        remoteHost: 'http://127.0.0.1:1/',
      });
      const load = swapping({}).pipeline('feature-extraction', 'someone/bert', {});
      await expect(load).rejects.toThrow(
        /^someone\/bert: http:\/\/127\.0\.0\.1:1\/ cannot be reached \(.+\)\. [^\n]+$/,
      );
      library.env.remoteHost = remoteHost;
    });
  });

  describe('inspect', () => {
    it('shows a model of the hub, which the library brings into its cache', async () => {
      const { modelType, inspected } = await withHub(library, () =>
        inspect('someone/bert', { library, revision: 'v2' }),
      );
      expect(modelType).toBe('bert');
      expect(inspected.map(({ file, inspection }) => [file.path, inspection.attention.length])).toEqual([
        ['onnx/model.onnx', 2],
      ]);
      expect(inspected[0]).toMatchObject({ parameters: expect.any(Number), cachePerToken: 0 });
      expect(await cachedFiles()).toContain(join('someone/bert/v2/onnx/model.onnx'));
      const again = await inspect('someone/bert', { library, revision: 'v2' });
      expect(again.inspected).toEqual(inspected);
    });

    it('shows the files asked for', async () => {
      const { inspected } = await inspect('clip', { library, files: ['text_model', 'vision_model'] });
      expect(inspected.map(({ file }) => file.path)).toEqual(['onnx/text_model.onnx', 'onnx/vision_model.onnx']);
    });

    it('shows models and pipelines that were loaded, as they are', async () => {
      const wrapped = withMhe(library) as unknown as LibraryUnderTest;
      const plain = await wrapped.AutoModel.from_pretrained(
        'bert',
        major === 2 ? { quantized: false } : { dtype: 'fp32' },
      );
      const swapped = await swapping({ calibration: texts(3) }).pipeline('feature-extraction', 'bert', {});
      const [before, after] = [await inspect(plain as object), await inspect(swapped)];
      expect(before.inspected[0]?.file.path).toBe('onnx/model.onnx');
      expect(after.inspected[0]?.file.path).toMatch(/^onnx\/mhe-\w{16}\/model\.onnx$/);
      expect(after.inspected[0]?.parameters).toBeLessThan(before.inspected[0]?.parameters ?? 0);
      await (plain as { dispose(): Promise<unknown> }).dispose();
      await swapped.dispose();
    });

    it('says that it knows nothing of what the library loaded alone', async () => {
      const model = await library.AutoModel.from_pretrained(
        'bert',
        major === 2 ? { quantized: false } : { dtype: 'fp32' },
      );
      await expect(inspect(model as object)).rejects.toThrow(/^inspect: it was not loaded through withMhe[^\n]+$/);
      await (model as { dispose(): Promise<unknown> }).dispose();
    });
  });
}
