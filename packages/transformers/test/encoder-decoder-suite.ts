import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type LoadReport, swapFolder, withMhe } from '@mhe/transformers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type EncoderDecoder, everything, TASKS } from './encoder-decoder.js';
import { major } from './generation.js';
import { FIXTURES, type LibraryUnderTest, relativeDifference, samples, useFoldersAlone } from './library-under-test.js';

const MODELS = Object.keys(TASKS) as EncoderDecoder[];

/** Swapped so that they compute what they did, and the heads of their caches of keys and of values then. */
const SWAPS = MODELS.flatMap((model) => [
  { model, groups: 'heads', heads: [4, 4], tolerance: 2e-5 } as const,
  { model, groups: 1, heads: [1, 1], tolerance: 1e-4 } as const,
  ...(model === 'bart-planted'
    ? [{ model, groups: { queryKey: 1, value: 'heads' }, heads: [1, 4], tolerance: 1e-4 } as const]
    : []),
]);

/** Models of an encoder and a decoder, swapped with one version of the library, generating in that version. */
export function encoderDecoderSuite(library: LibraryUnderTest): void {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mhe-encoder-decoder-'));
    useFoldersAlone(library, join(folder, 'cache'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  /** What the library's model of a folder does; the original's is found out once. */
  const known = new Map<string, ReturnType<typeof everything>>();
  function below(models: string, model: EncoderDecoder): ReturnType<typeof everything> {
    library.env.localModelPath = `${models}/`;
    return everything(library, model);
  }
  async function original(model: EncoderDecoder) {
    const found = known.get(model) ?? below(FIXTURES, model);
    known.set(model, found);
    return found;
  }

  function expectSame(
    actual: Awaited<ReturnType<typeof everything>>,
    expected: Awaited<ReturnType<typeof everything>>,
    { heads: [key, value], tolerance }: (typeof SWAPS)[number],
  ) {
    expect(relativeDifference(actual.logits, expected.logits)).toBeLessThan(tolerance);
    expect(actual.results).toEqual(expected.results);
    expect(Object.keys(expected.caches)).toHaveLength(4);
    for (const [name, dims] of Object.entries(expected.caches)) {
      expect(actual.caches[name], name).toEqual(dims.with(1, name.endsWith('key') ? key : value));
    }
  }

  describe('a swapped model of an encoder and a decoder', () => {
    it.each(SWAPS)('generates what $model does, in a folder, at groups $groups', async (swap) => {
      const { model, groups } = swap;
      // Sounds are much alike: a few tell the refit of some directions little.
      const sequences = model === 'whisper-planted' ? 60 : 12;
      const calibration = samples(library, model, sequences);
      const options = { library, groups, calibration, force: true };
      const { files } = await swapFolder(join(FIXTURES, model), join(folder, model), options);
      expect(files.map(({ file }) => file.base)).toEqual(['decoder_model_merged', 'encoder_model']);
      expect(files.map(({ report }) => report.swapped.length)).toEqual([2, 1]);
      for (const { report } of files) {
        expect(report.skipped).toEqual([]);
        expect(report.calibration).toMatchObject({ kind: 'given', sequences });
      }
      expectSame(await below(folder, model), await original(model), swap);
    });

    it('leaves alone what belongs to a decoder that is not merged, with the reason', async () => {
      if (major(library) !== 4) return;
      const from = join(folder, 'unmerged');
      await cp(join(FIXTURES, 'bart-planted'), from, { recursive: true });
      const laterSteps = fileURLToPath(
        new URL('../../onnx/test/fixtures/decoy-bart-with-past-optimum18.onnx', import.meta.url),
      );
      await cp(laterSteps, join(from, 'onnx/decoder_with_past_model.onnx'));
      const calibration = samples(library, 'bart-planted', 3);
      const { files } = await swapFolder(from, join(folder, 'unmerged-mhe'), { library, calibration });
      const [, left] = files;
      expect(files.map(({ report }) => report.swapped.length)).toEqual([2, 0, 1]);
      expect(left?.file.base).toBe('decoder_with_past_model');
      expect(left?.report.skipped.map(({ reason }) => reason)).toEqual([
        expect.stringMatching(/caches go with those that another graph makes/),
        expect.stringMatching(/whose projection is in another graph/),
      ]);
    });

    const loading = SWAPS.filter(({ model, groups }) => groups === (model === 'bart-planted' ? 1 : 'heads'));
    it.each(loading)('is loaded so, $model at groups $groups, where the version can', async (swap) => {
      const { model, groups } = swap;
      const expected = await original(model);
      Object.assign(library.env, { useFSCache: true, localModelPath: FIXTURES });
      const reports: LoadReport[] = [];
      const onReport = (report: LoadReport) => reports.push(report);
      const mhe = { groups, calibration: samples(library, model, 12), onReport };
      const wrapped = withMhe(library) as unknown as LibraryUnderTest;
      const auto = (name: 'AutoModelForSeq2SeqLM' | 'AutoModelForSpeechSeq2Seq') => ({
        from_pretrained: (id: string, options?: object) => wrapped[name].from_pretrained(id, { ...options, mhe }),
      });
      const swapping: LibraryUnderTest = {
        ...wrapped,
        pipeline: (task, id, options) => wrapped.pipeline(task, id, { ...options, mhe }),
        AutoModelForSeq2SeqLM: auto('AutoModelForSeq2SeqLM'),
        AutoModelForSpeechSeq2Seq: auto('AutoModelForSpeechSeq2Seq'),
      };
      const run = () => everything(swapping, model);
      if (major(library) === 2) {
        await expect(run()).rejects.toThrow(/transformers\.js 2 has no option to load 2 files from another place/);
      } else {
        const first = await run();
        expectSame(first, expected, swap);
        expect(await run()).toEqual(first);
        // Swapped for the class, and taken from there by the pipelines.
        const loads = 2 * (1 + TASKS[model].length);
        expect(reports.map(({ fromCache }) => fromCache)).toEqual([false, ...new Array(loads - 1).fill(true)]);
      }
      library.env.useFSCache = false;
    });
  });
}
