import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { swapFolder } from '@mhe/transformers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withLargeWeight } from './large-weight.js';
import {
  embed,
  FIXTURES,
  type LibraryUnderTest,
  relativeDifference,
  samples,
  texts,
  USES,
} from './library-under-test.js';

/** Folders swapped with one version of the library, and loaded by that version alone. */
export function folderSuite(library: LibraryUnderTest): void {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mhe-transformers-'));
    library.env.allowLocalModels = true;
    Object.assign(library.env, { allowRemoteModels: false, useFSCache: false });
  });
  afterAll(() => rm(folder, { recursive: true }));

  /** Runs the library on models below a folder. */
  async function below<T>(models: string, run: () => Promise<T>): Promise<T> {
    library.env.localModelPath = `${models}/`;
    return run();
  }

  describe('swapFolder', () => {
    it.each(Object.keys(USES))(
      'gives the numbers of the original of %s where every head keeps its own',
      async (name) => {
        const { files, written } = await swapFolder(join(FIXTURES, name), join(folder, name), {
          library,
          groups: 'heads',
          calibration: samples(library, name),
        });
        for (const { file, report } of files) {
          expect(report.skipped, file.path).toEqual([]);
          expect(report.swapped.length, file.path).toBeGreaterThan(0);
          expect(report.calibration.kind, file.path).toBe('given');
        }
        expect(written?.notices).toEqual([]);
        for (const { name: use, run } of USES[name] ?? []) {
          const expected = await below(FIXTURES, () => run(library, name));
          const actual = await below(folder, () => run(library, name));
          expect(relativeDifference(actual, expected), use).toBeLessThan(2e-5);
        }
      },
    );

    it('swaps two at once, and leaves the settings of the library as they were', async () => {
      const before = { ...library.env };
      const swap = (name: string) =>
        swapFolder(join(FIXTURES, name), join(folder, `${name}-at-once`), { library, calibration: texts(3) });
      const [bert, roberta] = await Promise.all([swap('bert'), swap('roberta')]);
      expect({ ...library.env }).toEqual(before);
      for (const { files } of [bert, roberta]) expect(files[0]?.report.calibration.sequences).toBe(3);
    });

    it('swaps models whose weights are as large as real ones', async () => {
      await withLargeWeight(join(folder, 'large'));
      const options = { library, groups: 'heads', calibration: samples(library, 'bert') } as const;
      await swapFolder(join(folder, 'large'), join(folder, 'large-mhe'), options);
      const expected = await below(FIXTURES, () => embed.run(library, 'bert'));
      const actual = await below(folder, () => embed.run(library, 'large-mhe'));
      expect(relativeDifference(actual, expected)).toBeLessThan(2e-5);
    });

    it('brings heads that share back through the pipeline, with one projection for all', async () => {
      const { files } = await swapFolder(join(FIXTURES, 'bert-planted'), join(folder, 'bert-planted'), {
        library,
        groups: 1,
        calibration: texts(60),
      });
      expect(files[0]?.report.swapped.map(({ groups }) => groups)).toEqual([
        { queryKey: 1, value: 1 },
        { queryKey: 1, value: 1 },
      ]);
      const expected = await below(FIXTURES, () => embed.run(library, 'bert-planted'));
      const actual = await below(folder, () => embed.run(library, 'bert-planted'));
      expect(relativeDifference(actual, expected)).toBeLessThan(1e-4);
      expect(relativeDifference(actual, expected)).toBeGreaterThan(0);
    });
  });
}
