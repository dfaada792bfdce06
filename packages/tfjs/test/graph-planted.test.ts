// Converted models whose heads really share projections, each head in a basis of its own so that nothing shows: a swap to
// as many groups brings the outputs back. And that such a test can fail.
import { fitMhe } from '@mhe/core';
import { beforeAll, describe, expect, it } from 'vitest';
import { misreadWeights } from '../../core/test/misread-weights.js';
import { plantedGroups } from '../../core/test/planted-groups.js';
import { swap } from '../src/index.js';
import { findGraphSites } from '../src/view/find-graph-sites.js';
import { nodeBackends, useBackend } from './backends.js';
import { fixture, fixtureModel, inputsOf, largestDifference, plantedNames, runModel } from './graph-fixture.js';

/** Stored weights are rounded, and so are the fitted ones. */
const rounding = { uint8: 5e-2, uint16: 1e-3, float16: 1e-2 };

/** Other inputs than those that are compared: a refit on few positions brings anything back on these. */
const calibration = { synthetic: { sequences: 4 } };

async function swapPlanted(name: string, form: 'auto' | 'direct' | 'widened' = 'auto') {
  const { sites } = fixture(name);
  const groups = plantedGroups(sites);
  const model = await fixtureModel(name);
  const { model: swapped, report } = await swap(model, { groups, form, calibration });
  expect(report.swapped).toHaveLength(sites.length);
  const [before, after] = [await runModel(model, inputsOf(name)), await runModel(swapped, inputsOf(name))];
  return { report, groups, change: Math.max(...before.map((expected, i) => largestDifference(after[i], expected))) };
}

/** Enough to show that the backend makes no difference. */
const onWasm = ['dense', 'conv-split', 'flat-rows', 'cross', 'float16'].map((style) => `${style}-planted`);

describe.each(nodeBackends)('on %s', (backend) => {
  beforeAll(() => useBackend(backend));

  it.each(backend === 'cpu' ? plantedNames : onWasm)('%s comes back', async (name) => {
    const { quantised } = fixture(name);
    const { report, groups, change } = await swapPlanted(name);
    for (const { fitError, groups: made } of report.swapped) {
      expect(made).toEqual(groups);
      expect(Math.max(fitError.queryKey, fitError.value)).toBeLessThan(quantised ? rounding[quantised] : 1e-6);
    }
    expect(report.parameters.after).toBeLessThan(report.parameters.before);
    expect(change).toBeLessThan(quantised ? rounding[quantised] : 1e-4);
  });
});

describe('heads that share come back', () => {
  beforeAll(() => useBackend('cpu'));

  it.each(['unpacked', 'cross', 'interleaved', 'keras2', 'relative-bias'])('in the direct form of %s', async (name) => {
    expect((await swapPlanted(`${name}-planted`, 'direct')).change).toBeLessThan(1e-4);
  });

  it.each(['flat-rows', 'conv-split', 'cross', 'interleaved', 'strided'])('in the widened form of %s', async (name) => {
    expect((await swapPlanted(`${name}-planted`, 'widened')).change).toBeLessThan(1e-4);
  });
});

describe('one group', () => {
  beforeAll(() => useBackend('cpu'));

  it.each(['conv-split', 'unpacked', 'keras2', 'shards', 'uint8'])(
    'does not bring back %s, whose heads share nothing',
    async (name) => {
      expect((await swapPlanted(name)).change).toBeGreaterThan(0.1);
    },
  );

  it.each(['dense', 'conv-split', 'strided', 'unpacked', 'interleaved', 'einsum', 'keras2', 'keras3'])(
    'is found for %s, and not where its layout is misread',
    async (style) => {
      const name = `${style}-planted`;
      const { found } = findGraphSites(await fixtureModel(name), {});
      const planted = fixture(name).sites[0]?.planted;
      if (!planted) throw new Error(`${name} is not planted`);
      const [{ block }] = found as [(typeof found)[0]];
      const right = await fitMhe(block.weights(), { groups: planted });
      expect(Math.max(right.queryKeyError.overall, right.valueError.overall)).toBeLessThan(1e-8);
      const wrong = await fitMhe(misreadWeights(block.weights()), { groups: planted });
      // Values of one group lie in one space, whichever head they are given to: only the scores tell.
      expect(wrong.queryKeyError.overall).toBeGreaterThan(1e-2);
    },
  );
});
