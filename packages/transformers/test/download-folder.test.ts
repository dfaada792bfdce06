import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as library from '@huggingface/transformers';
import { downloadFolder, swapFolder } from '@mhe/transformers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FIXTURES, type LibraryUnderTest, samples, texts } from './library-under-test.js';
import { type Answer, withHub } from './local-hub.js';

let cache: string;
beforeEach(async () => {
  cache = await mkdtemp(join(tmpdir(), 'mhe-download-'));
  Object.assign(library.env, { cacheDir: cache, useFSCache: true });
});
afterEach(() => rm(cache, { recursive: true }));

const cached = async () => (await readdir(cache, { recursive: true })).filter((file) => /\.\w+$/.test(file)).sort();
const download = (id: string, options: object = {}) => downloadFolder(id, { library, ...options });
const hub = <T>(run: (hub: { asked: string[] }) => Promise<T>, answer?: Answer) => withHub(library, run, answer);

describe('downloadFolder', () => {
  it('has the library bring what a model consists of, once', async () => {
    await hub(async ({ asked }) => {
      const { files, folder } = await download('someone/bert');
      expect(files).toEqual(['config.json', 'onnx/model.onnx', 'tokenizer.json', 'tokenizer_config.json']);
      expect(folder).toBe(join(cache, 'someone/bert'));
      for (const file of files)
        expect(await readFile(join(folder, file))).toEqual(await readFile(join(FIXTURES, 'bert', file)));
      asked.length = 0;
      expect((await download('someone/bert')).files).toEqual(files);
      expect(asked.filter((path) => /model\.onnx|tokenizer\.json/.test(path))).toEqual([]);
    });
  });

  it.each([
    ['someone/vit', 'all', ['config.json', 'onnx/model.onnx', 'preprocessor_config.json']],
    [
      'someone/clip',
      ['text_model', 'vision_model'],
      [
        'config.json',
        'onnx/text_model.onnx',
        'onnx/vision_model.onnx',
        'preprocessor_config.json',
        'tokenizer.json',
        'tokenizer_config.json',
      ],
    ],
  ] as const)('takes what %s has, and the files asked for: %s', async (id, files, expected) => {
    expect((await hub(() => download(id, { files }))).files).toEqual(expected);
  });

  it('gives swapFolder the model alone, whatever else the cache has', async () => {
    await hub(async () => {
      const downloaded = await download('someone/bert', { revision: 'v1' });
      await cp(join(FIXTURES, 'bert'), join(downloaded.folder, 'v2'), { recursive: true });
      await mkdir(join(downloaded.folder, 'onnx/mhe-0'));
      await writeFile(join(downloaded.folder, 'onnx/model_quantized.onnx'), 'quantised');
      const output = join(cache, 'out');
      const { written } = await swapFolder(downloaded, output, { library, calibration: texts(4) });
      expect(written?.notices).toEqual([]);
      expect(written?.files.map((file) => file.slice(output.length + 1))).toEqual([
        'README.md',
        'config.json',
        'mhe.json',
        'onnx/model.onnx',
        'tokenizer.json',
        'tokenizer_config.json',
      ]);
      expect(JSON.parse(await readFile(join(output, 'mhe.json'), 'utf8'))).toMatchObject({
        source: 'someone/bert',
        revision: 'v1',
      });
      const card = await readFile(join(output, 'README.md'), 'utf8');
      expect(card).toMatch(/^---\nlibrary_name: transformers\.js\nbase_model: someone\/bert\n---\n/);
    });
  });

  it('fits on images of a model of the hub', async () => {
    const calibration = samples(library as unknown as LibraryUnderTest, 'vit', 3);
    const output = join(cache, 'out');
    const { files } = await hub(async () =>
      swapFolder(await download('someone/vit'), output, { library, calibration }),
    );
    expect(files[0]?.report.calibration).toMatchObject({ kind: 'given', sequences: 3 });
  });

  it.each<[string, string, Answer, RegExp]>([
    ['someone/none', 'unreadable', () => null, /^someone\/none: it has no config\.json/],
    ['gated/bert', 'denied', () => ({ status: 401 }), /^gated\/bert: \S+ may not be read: .*HF_TOKEN/],
    [
      'slow/bert',
      'unreachable',
      (path) => (path.includes('tokenizer') ? { status: 503 } : null),
      /^slow\/bert: the server cannot give \S+ now/,
    ],
  ])('says why it cannot have %s: %s', async (id, problem, answer, says) => {
    const error = await hub(() => download(id).catch((cause) => cause), answer);
    expect(error).toMatchObject({ name: 'ModelFolderError', problem, message: expect.stringMatching(says) });
  });

  it('ends when it is told to, and leaves nothing half there', async () => {
    const stop = new AbortController();
    const progress_callback = ({ file, status }: { file?: string; status: string }) => {
      if (status === 'progress' && file === 'onnx/model.onnx') stop.abort(new Error('stopped'));
    };
    const stall: Answer = (path) => (path.endsWith('model.onnx') ? 'stall' : null);
    await hub(async () => {
      const work = download('someone/mpnet', { signal: stop.signal, progress_callback });
      await expect(work).rejects.toThrow('stopped');
    }, stall);
    expect(await cached()).toEqual([join('someone', 'mpnet', 'config.json')]);
    const { files } = await hub(() => download('someone/mpnet'));
    expect(files).toContain('onnx/model.onnx');
  });

  it('ends one of two at once, and leaves the settings of the library as they were', async () => {
    const stop = new AbortController();
    await hub(async () => {
      const { fetch } = library.env;
      const bert = download('someone/bert', { signal: stop.signal });
      const mpnet = download('someone/mpnet', { signal: new AbortController().signal });
      stop.abort(new Error('stopped'));
      await expect(bert).rejects.toThrow('stopped');
      expect((await mpnet).files).toContain('onnx/model.onnx');
      expect(library.env.fetch).toBe(fetch);
    });
  });

  it('refuses options that there are not', async () => {
    await expect(downloadFolder('someone/bert', { dtype: 'fp16' } as object)).rejects.toThrow(
      /^dtype: there is no such option; there are library, files, dtypes, signal, revision, /,
    );
  });

  it('needs a cache of files', async () => {
    Object.assign(library.env, {
      useCustomCache: true,
      customCache: { match: async () => undefined, put: async () => {} },
    });
    const work = download('someone/bert').finally(() => Object.assign(library.env, { useCustomCache: false }));
    await expect(work).rejects.toThrow(
      /^someone\/bert: transformers\.js is set to keep models in another cache than files\./,
    );
  });
});
