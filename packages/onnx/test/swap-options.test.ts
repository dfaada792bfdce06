// Options that the types rule out are refused by name: JavaScript callers have no types.
import { expect, it } from 'vitest';
import { swap } from '../src/index.js';
import { fixtureModel, fixtureOf } from './fixture.js';

it.each([
  [{ groupz: 1 }, /^groupz: there is no such option; there are groups, .*onProgress, .*executionProviders$/],
  [
    { calibration: { synthetic: { sequence: 4 } } },
    /^sequence: there is no such option; there are seed, sequences, length$/,
  ],
  [{ embedding: 'times' }, /^embedding: "times" is not possible; give mul or add$/],
  [{ form: 'fast' }, /^form: "fast" is not possible; give auto, /],
  [{ groups: '1' }, /^groups: "1" is not possible; give a number, "heads", or/],
  [{ sites: 'first' }, /^sites: "first" is not possible; give "all"/],
  [{ seed: 0.5 }, /^seed: 0.5 is not possible; give a whole number$/],
])('refuses %o', async (options, message) => {
  const model = await fixtureModel(fixtureOf('bert-sdpa'));
  await expect(swap(model, options as object)).rejects.toThrow(message);
});
