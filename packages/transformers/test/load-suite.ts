import { createReadStream, existsSync, statSync } from 'node:fs';
import { cp, mkdtemp, readdir, rm, stat, utimes } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type LoadReport, withMhe } from '@mhe/transformers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
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
  function swapping(mhe: object): LibraryUnderTest {
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
        ['feature-extraction.json', 'model.onnx', 'feature-extraction.json', 'model.onnx'].map((name) =>
          join('bert-planted', 'onnx', 'mhe-KEY', name),
        ),
      );
      const [one, two] = await Promise.all(
        files.filter((file) => file.endsWith('.onnx')).map((file) => stat(join(cache, file))),
      );
      expect(one?.size).not.toBe(two?.size);
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
      const asked: string[] = [];
      const hub = createServer((request, response) => {
        const path = request.url ?? '';
        asked.push(path);
        const file = join(FIXTURES, path.replace('/someone/', '').replace(/\/resolve\/(v1|main)\//, '/'));
        if (existsSync(file)) createReadStream(file).pipe(response.setHeader('content-length', statSync(file).size));
        else response.writeHead(404).end();
      });
      await new Promise<void>((listening) => hub.listen(0, '127.0.0.1', listening));
      const { remoteHost } = library.env;
      library.env.remoteHost = `http://127.0.0.1:${(hub.address() as AddressInfo).port}/`;
      Object.assign(library.env, { allowLocalModels: false, allowRemoteModels: true });
      const load = async () => {
        const wrapped = swapping({ groups: 'heads', calibration: texts(3) });
        const use = await wrapped.pipeline('feature-extraction', 'someone/bert', { revision: 'v1' });
        const { data } = (await use('the ferry leaves', { pooling: 'mean' })) as Tensor;
        await use.dispose();
        return Array.from(data);
      };
      try {
        const first = await load();
        expect(asked).toContain('/someone/bert/resolve/v1/onnx/model.onnx');
        expect(asked.filter((path) => path.includes('mhe-'))).toEqual([]);
        const swapped = (await cachedFiles()).filter((file) => file.includes('mhe-'));
        expect(swapped.map((file) => file.replace(/mhe-\w{16}/, 'mhe-KEY'))).toEqual(
          ['feature-extraction.json', 'model.onnx'].map((name) => join('someone/bert/v1/onnx/mhe-KEY', name)),
        );
        asked.length = 0;
        expect(await load()).toEqual(first);
        expect(asked.filter((path) => path.includes('onnx'))).toEqual([]);
      } finally {
        library.env.remoteHost = remoteHost;
        hub.closeAllConnections();
        hub.close();
      }
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
        ['model.onnx', 'feature-extraction.json'].map(
          (name) => `${library.env.remoteHost}bert/resolve/main/onnx/mhe-KEY/${name}`,
        ),
      );
    });

    it.each([
      {
        options: { dtype: 'q8', quantized: true },
        mhe: {},
        says: /^bert: (dtype: 'q8'|quantized: true) asks for weights/,
      },
      { options: {}, mhe: { sites: () => true }, says: /^bert: sites is a function/ },
      {
        options: {},
        mhe: { calibration: [{ audio: new Float32Array(4) }] },
        says: /^onnx\/model\.onnx: it reads text, and none/,
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
  });
}
