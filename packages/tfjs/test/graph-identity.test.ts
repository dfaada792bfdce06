// The swap to a group for each head, on every converted model: it has to give what the model gave, and TensorFlow
// before it.

import { beforeAll, describe, expect, it } from 'vitest';
import type { Feed, TfjsSwapOptions } from '../src/index.js';
import { swap } from '../src/index.js';
import { nodeBackends, type TestBackend, useBackend } from './backends.js';
import {
  attentionNames,
  fixture,
  fixtureModel,
  inputsOf,
  largestDifference,
  needsCpu,
  runModel,
} from './graph-fixture.js';
import { expectSound } from './swapped-graph.js';

/** How far new matrices may be from the old ones where they are stored in few bits, as the model stores its own. */
const roundings = { uint8: 5e-2, uint16: 3e-4, float16: 3e-3 };

async function identitySwap(name: string, options: TfjsSwapOptions = {}) {
  const { cases, sites, quantised } = fixture(name);
  const original = await fixtureModel(name);
  const calibration = inputsOf(name) as readonly Feed[];
  const { model, report } = await swap(original, { calibration, groups: 'heads', ...options });
  expect(report.swapped).toHaveLength(sites.length);
  expectSound(model, original);
  const [before, after] = [await runModel(original, inputsOf(name)), await runModel(model, inputsOf(name))];
  before.forEach((expected, i) => {
    expect(largestDifference(after[i], expected)).toBeLessThan(quantised ? roundings[quantised] : 2e-5);
    // TensorFlow's weights are not rounded.
    if (quantised === undefined) expect(largestDifference(expected, cases[i]?.outputs ?? {})).toBeLessThan(2e-5);
  });
  return report;
}

const namesFor = (backend: TestBackend) => attentionNames.filter((name) => backend === 'cpu' || !needsCpu(name));

describe.each(nodeBackends)('the identity swap on %s', (backend) => {
  beforeAll(() => useBackend(backend));

  it.each(namesFor(backend))('reproduces %s', async (name) => {
    const report = await identitySwap(name);
    const { quantised } = fixture(name);
    for (const { identityError, outputError, parameters } of report.swapped) {
      expect(identityError).toBeLessThan(quantised ? roundings[quantised] : 2e-5);
      expect(outputError).toBeLessThan(quantised ? roundings[quantised] : 2e-5);
      expect(parameters.after).toBe(parameters.before);
    }
    expect(report.notices.join('\n')).toMatch(/groups are as many as heads everywhere/);
  });

  // Projections by Einsum spread their columns over axes, which this form has no way to write.
  it.each(attentionNames.filter((name) => !needsCpu(name)))('reproduces %s widened', async (name) => {
    const report = await identitySwap(name, { form: 'widened' });
    for (const { form } of report.swapped) expect(form).toBe('widened');
  });
});

describe('the identity swap', () => {
  beforeAll(() => useBackend('cpu'));

  it('is proved by nothing where a block gives zeros, which leaves the block alone', async () => {
    // Without biases, zeros come out as zeros.
    const model = await fixtureModel('scaled-queries-planted');
    const calibration = [{ x: { dims: [1, 3, 12], data: new Float32Array(36) } }];
    const { model: swapped, report } = await swap(model, { calibration });
    expect(swapped === model).toBe(true);
    expect(report.swapped).toEqual([]);
    expect(report.skipped.map(({ reason }) => reason)).toEqual([
      'its output on the calibration inputs is zero or no number, which proves nothing: give other inputs',
    ]);
  });

  it('changes nothing where heads share keys and values as they are', async () => {
    const [name, calibration] = ['grouped-queries', inputsOf('grouped-queries') as readonly Feed[]];
    const original = await fixtureModel(name);
    const { model, report } = await swap(original, { calibration, groups: 'heads' });
    expect(report.swapped.length + report.skipped.length).toBe(1);
    expectSound(model, original);
    const after = await runModel(model, inputsOf(name));
    after.forEach((outputs, i) => {
      expect(largestDifference(outputs, fixture(name).cases[i]?.outputs ?? {})).toBeLessThan(2e-5);
    });
  });

  it('notices where it does not hold, and leaves the block alone', async () => {
    // Its scale is no power of two, so that something is rounded.
    const model = await fixtureModel('conv-sizes-planted');
    const calibration = inputsOf('conv-sizes-planted') as readonly Feed[];
    const { model: swapped, report } = await swap(model, { calibration, identityTolerance: 1e-9 });
    expect(swapped === model).toBe(true);
    expect(report.swapped).toEqual([]);
    expect(report.skipped.map(({ reason }) => reason).join()).toMatch(
      /the identity swap gives another output \(relative difference .*, at most 1e-9 expected\)/,
    );
  });
});
