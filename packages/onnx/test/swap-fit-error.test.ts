// Groups under a bound on the fit's error: as few as hold, against swaps at every number of groups.
import { expect, it } from 'vitest';
import { swap } from '../src/index.js';
import { fixture, fixtureModel } from './fixture.js';

const NAME = 'bert-two-layers-optimum17';
const calibration = fixture(NAME).cases.map((entry) => entry.inputs);
const swapping = async (options: Parameters<typeof swap>[1]) =>
  (await swap(await fixtureModel(NAME), { calibration, ...options })).report;

it('gives every site the fewest groups of each kind that leave out no more', async () => {
  const { swapped: widest } = await swapping({ groups: 1 });
  const most = widest.map(({ fitError }) => fitError);
  // Between the errors of the two sites and of the two dials, so that not all are treated alike.
  const maxFitError = Math.max(...most.map(({ queryKey, value }) => Math.min(queryKey, value))) * 1.001;
  const { swapped, skipped } = await swapping({ groups: 1, maxFitError });
  expect(skipped).toEqual([]);
  expect(swapped.some(({ groups }) => groups.value > 1 || groups.queryKey > 1)).toBe(true);
  for (const { site, groups, fitError } of swapped) {
    for (const dial of ['queryKey', 'value'] as const) {
      expect(fitError[dial]).toBeLessThanOrEqual(maxFitError);
      if (groups[dial] === 1) continue;
      const fewer = await swapping({ groups: { ...groups, [dial]: groups[dial] - 1 }, sites: [site.index] });
      expect(fewer.swapped[0]?.fitError[dial]).toBeGreaterThan(maxFitError);
    }
  }
});

it('starts from the groups asked for', async () => {
  const { swapped } = await swapping({ groups: { queryKey: 2, value: 'heads' }, maxFitError: 1 });
  expect(swapped.map(({ groups }) => groups)).toEqual(
    swapped.map(({ site }) => ({ queryKey: 2, value: site.numHeads })),
  );
});

it('leaves a site alone where only its own groups hold, and says so', async () => {
  const { swapped, skipped } = await swapping({ groups: 1, maxFitError: 0 });
  expect(swapped).toEqual([]);
  expect(skipped.map(({ reason }) => reason)).toEqual(
    Array(2).fill(
      '0 % of the energy at most may be left out (maxFitError), and only its own groups leave out so little',
    ),
  );
});

it.each([-0.1, 1.1, Number.NaN, '0.1x'])('refuses %s', async (maxFitError) => {
  const message = /^maxFitError: .* is not possible; give a share from 0 to 1$/;
  await expect(swapping({ maxFitError: maxFitError as number })).rejects.toThrow(message);
});
