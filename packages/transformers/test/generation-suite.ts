import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { type LoadReport, swapFolder, withMhe } from '@mhe/transformers';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { generate, type Loaded, major, prefill, WAYS, withDecoder, write } from './generation.js';
import { FIXTURES, type LibraryUnderTest, relativeDifference, texts, useFoldersAlone } from './library-under-test.js';

/** Decoders swapped so that they compute what they did, and the heads of their caches of keys and of values then. */
const SWAPS = [
  { model: 'gpt2', groups: 'heads', heads: [4, 4], tolerance: 2e-5 },
  { model: 'llama', groups: 'heads', heads: [2, 2], tolerance: 2e-5 },
  { model: 'qwen2', groups: 'heads', heads: [2, 2], tolerance: 2e-5 },
  { model: 'gpt2-planted', groups: 1, heads: [1, 1], tolerance: 1e-4 },
  { model: 'gpt2-planted', groups: { queryKey: 1, value: 'heads' }, heads: [1, 4], tolerance: 1e-4 },
  { model: 'gpt2-merged-planted', groups: { queryKey: 1, value: 2 }, heads: [1, 2], tolerance: 1e-4 },
  { model: 'llama-planted', groups: 1, heads: [1, 1], tolerance: 1e-4 },
  { model: 'llama-planted', groups: { queryKey: 1, value: 'heads' }, heads: [1, 2], tolerance: 1e-4 },
  { model: 'qwen2-planted', groups: 1, heads: [1, 1], tolerance: 1e-4 },
  { model: 'gemma2-planted', groups: 'heads', heads: [2, 2], tolerance: 2e-5 },
  { model: 'gemma2-planted', groups: 1, heads: [1, 1], tolerance: 1e-4 },
] as const;

/** Version 2 has no class for them. */
const SINCE_VERSION_3: readonly string[] = ['gemma2-planted'];

const CALIBRATION = texts(12);

/** Decoders swapped with one version of the library, generating in that version. */
export function generationSuite(library: LibraryUnderTest): void {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mhe-generation-'));
    useFoldersAlone(library, join(folder, 'cache'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  /** Runs the library on models below a folder. */
  async function below<T>(models: string, run: () => Promise<T>): Promise<T> {
    library.env.localModelPath = `${models}/`;
    return run();
  }

  /** Everything that a decoder does, each way of generating by its name. */
  async function everything(from: LibraryUnderTest, model: string) {
    const ways = Object.entries(WAYS).filter(([, { versions }]) => versions.includes(major(library)));
    const generated = await withDecoder(from, model, async (loaded: Loaded) => {
      const results: Record<string, unknown> = {};
      for (const [name, { run }] of ways) results[name] = await run(loaded);
      return { ...(await prefill(loaded)), results };
    });
    return { ...generated, results: { ...generated.results, pipeline: await write(from, model) } };
  }

  function expectSame(
    actual: Awaited<ReturnType<typeof everything>>,
    expected: Awaited<ReturnType<typeof everything>>,
    { heads: [key, value], tolerance }: (typeof SWAPS)[number],
  ) {
    expect(relativeDifference(actual.logits, expected.logits)).toBeLessThan(tolerance);
    expect(actual.results).toEqual(expected.results);
    expect(Object.keys(actual.caches)).toEqual(Object.keys(expected.caches));
    for (const [name, dims] of Object.entries(expected.caches)) {
      expect(actual.caches[name], name).toEqual(dims.with(1, name.endsWith('key') ? key : value));
    }
  }

  describe('a swapped decoder', () => {
    const swaps = SWAPS.filter(({ model }) => major(library) > 2 || !SINCE_VERSION_3.includes(model));
    it.each(swaps)('generates what $model does, in a folder, at groups $groups', async (swap) => {
      const { model, groups } = swap;
      const { files } = await swapFolder(join(FIXTURES, model), join(folder, model), {
        library,
        groups,
        calibration: CALIBRATION,
        force: true,
      });
      for (const { report } of files) {
        expect(report.skipped).toEqual([]);
        expect(report.calibration).toMatchObject({ kind: 'given', sequences: CALIBRATION.length });
      }
      const expected = await below(FIXTURES, () => everything(library, model));
      expectSame(await below(folder, () => everything(library, model)), expected, swap);
    });

    // The files that each version looks for.
    const loaded = ['llama', major(library) === 2 ? 'gpt2-merged-planted' : 'gpt2-planted'];
    it.each(SWAPS.filter(({ model, groups }) => loaded.includes(model) && groups !== 1))(
      'generates what $model does, swapped while it is loaded, at groups $groups',
      async (swap) => {
        const { model, groups } = swap;
        library.env.useFSCache = true;
        library.env.localModelPath = FIXTURES;
        const reports: LoadReport[] = [];
        const mhe = { groups, calibration: CALIBRATION, onReport: (report: LoadReport) => reports.push(report) };
        const wrapped = withMhe(library) as unknown as LibraryUnderTest;
        const swapping: LibraryUnderTest = {
          ...wrapped,
          pipeline: (task, id, options) => wrapped.pipeline(task, id, { ...options, mhe }),
          AutoModelForCausalLM: {
            from_pretrained: (id, options) => wrapped.AutoModelForCausalLM.from_pretrained(id, { ...options, mhe }),
          },
        };
        const expected = await everything(library, model);
        const first = await everything(swapping, model);
        expectSame(first, expected, swap);
        expect(await everything(swapping, model)).toEqual(first);
        // Swapped for the class, and taken from there by the pipeline.
        expect(reports.map(({ fromCache }) => fromCache)).toEqual([false, true, true, true]);
        library.env.useFSCache = false;
      },
    );

    it('keeps no memory over many runs, nor over many loads', async () => {
      setFlagsFromString('--expose-gc');
      const collect = runInNewContext('gc') as () => void;
      const model = 'llama-planted';
      await swapFolder(join(FIXTURES, model), join(folder, model), { library, calibration: texts(4), force: true });
      const held = async () => {
        // What a collection finds to be freed is freed after it.
        for (let i = 0; i < 4; i++) {
          collect();
          await new Promise((resume) => setTimeout(resume, 20));
        }
        const { arrayBuffers, rss } = process.memoryUsage();
        return { arrayBuffers, rss };
      };
      const load = (runs: number) =>
        below(folder, () =>
          withDecoder(library, model, async (loaded) => {
            for (let i = 0; i < runs; i++) await WAYS.greedy?.run(loaded);
          }),
        );
      await load(20);
      await load(1);
      const before = await held();
      await load(20);
      for (let i = 0; i < 12; i++) await load(1);
      const after = await held();
      expect(after.arrayBuffers - before.arrayBuffers).toBeLessThan(2 ** 20);
      expect(after.rss - before.rss).toBeLessThan(2 ** 25);
    });

    it('is free when it is disposed of', async () => {
      // ONNX Runtime before 1.16, as in version 2, frees a session when nothing holds it any more.
      if (major(library) === 2) return;
      const freed = await below(FIXTURES, () => withDecoder(library, 'llama', async (loaded) => loaded));
      // The library tells the console of it, at length.
      const console = vi.spyOn(globalThis.console, 'error').mockImplementation(() => {});
      await expect(generate(freed, freed.tokenizer('Rain'), {})).rejects.toThrow();
      console.mockRestore();
    });
  });
}
