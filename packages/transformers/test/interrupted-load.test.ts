// A load that swaps and comes to no end leaves nothing that a later one takes for whole.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as library from '@huggingface/transformers';
import { type LoadReport, withMhe } from '@mhe/transformers';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { embed, FIXTURES, type LibraryUnderTest, relativeDifference, texts } from './library-under-test.js';

const dist = fileURLToPath(new URL('../dist/index.js', import.meta.url));
const child = fileURLToPath(new URL('./interrupted-load.child.mjs', import.meta.url));

let cache: string;
beforeEach(async () => {
  cache = await mkdtemp(join(tmpdir(), 'mhe-interrupted-'));
  Object.assign(library.env, { localModelPath: FIXTURES, allowRemoteModels: false, useFSCache: true, cacheDir: cache });
});
afterEach(() => rm(cache, { recursive: true }));

const files = async () =>
  (await readdir(cache, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map(({ name }) => name);

/** The settings of the child too. */
const MHE = { groups: 'heads', calibration: texts(40) } as const;

async function load(mhe: object = {}): Promise<{ values: number[]; report: LoadReport | undefined }> {
  let report: LoadReport | undefined;
  const options = { ...MHE, threads: 1, ...mhe, onReport: (each: LoadReport) => (report = each) };
  const { pipeline } = withMhe(library);
  const extract = await pipeline<library.FeatureExtractionPipeline>('feature-extraction', 'bert', { mhe: options });
  const { data } = await extract(texts(3, 50), { pooling: 'mean', normalize: true });
  await extract.dispose();
  return { values: Array.from(data as Float32Array), report };
}

/** A whole load gives the original's numbers, swapped anew. */
async function expectWholeLoad() {
  const expected = await embed.run(library as unknown as LibraryUnderTest, 'bert');
  const { values, report } = await load();
  expect(report?.fromCache).toBe(false);
  expect(relativeDifference(values, expected)).toBeLessThan(2e-5);
  expect((await load()).report?.fromCache).toBe(true);
}

it('by its signal', async () => {
  const stop = new AbortController();
  const onProgress = ({ stage }: { stage: string }) => {
    if (stage === 'fit') stop.abort(new Error('stopped'));
  };
  await expect(load({ signal: stop.signal, onProgress })).rejects.toThrow('stopped');
  expect(await files()).toEqual([]);
  await expectWholeLoad();
});

it('by files that cannot be written', async () => {
  await writeFile(join(cache, 'bert'), 'a file in the way');
  await expect(load()).rejects.toThrow(
    /model\.onnx: it cannot be written \(E\w+\)\. Check its space and permissions[^\n]*$/,
  );
  expect(await files()).toEqual(['bert']);
  await rm(join(cache, 'bert'));
  await expectWholeLoad();
});

it('by a cache that is full', async () => {
  const kept = new Map<string, Uint8Array>();
  let isFull = true;
  const customCache = {
    match: async (key: string) => (kept.has(key) ? new Response(kept.get(key) as Uint8Array<ArrayBuffer>) : undefined),
    put: async (key: string, response: Response) => {
      if (isFull && key.endsWith('.json')) throw new Error('no space left');
      kept.set(key, new Uint8Array(await response.arrayBuffer()));
    },
  };
  Object.assign(library.env, { useCustomCache: true, customCache });
  try {
    await expect(load()).rejects.toThrow(/\.json: the cache does not take it \(no space left\)\. Make space[^\n]*$/);
    isFull = false;
    await expectWholeLoad();
  } finally {
    library.env.useCustomCache = false;
  }
});

it.skipIf(!existsSync(dist)).each(['capture', 'fit', 'compare'])('by the end of its process, in %s', async (stage) => {
  const process_ = spawn(process.execPath, [child, cache, FIXTURES, stage, JSON.stringify(MHE)], { stdio: 'inherit' });
  const [code, signal] = await new Promise<[number | null, string | null]>((ended) =>
    process_.on('close', (...result) => ended(result)),
  );
  expect(code === 0).toBe(false);
  expect(signal ?? 'SIGKILL').toBe('SIGKILL');
  await expectWholeLoad();
});
