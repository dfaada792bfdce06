import * as node from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { type OrtRuntime, swap } from '../src/index.js';
import { runAll } from '../src/swap/frontier.js';
import { fixture, fixtureModel, fixtureNames, largestDifference } from './fixture.js';

const runtime = node as unknown as OrtRuntime;

const swappable = fixtureNames.filter(
  (name) =>
    !fixture(name).decoy &&
    !fixture(name).sites.some((site) => site.numKeyValueHeads !== undefined || site.perHeadSubgraphs === true),
);
const planted = swappable.filter((name) => fixture(name).sites.every((site) => site.planted));

/** float16 models round every step: what a reordered sum may differ by. */
const identityBound = (name: string) => (name.startsWith('float16') ? 5e-3 : 2e-5);

/** Raw scores may differ by a number per row, which softmax cancels; all other outputs are compared. */
const comparable = (name: string, outputs: object) =>
  Object.keys(outputs).filter((output) => !(name.startsWith('output-scores') && output === 'scores'));

async function outputsOf(name: string, groups: Parameters<typeof swap>[1] & object) {
  const { cases } = fixture(name);
  const inputs = cases.map((entry) => entry.inputs);
  const original = await fixtureModel(name);
  const { model, report } = await swap(original, { runtime, calibration: inputs, ...groups });
  const before = await runAll(original, inputs, { runtime });
  const after = await runAll(model, inputs, { runtime });
  return { before, after, report, model, original };
}

describe('the identity swap', () => {
  it.each(swappable)('reproduces %s', async (name) => {
    const { before, after, report } = await outputsOf(name, { groups: 'heads' });
    expect(report.swapped).toHaveLength(fixture(name).sites.length);
    before.forEach((expected, i) => {
      expect(largestDifference(after[i] ?? {}, expected)).toBeLessThan(identityBound(name));
    });
    // Against PyTorch: the exported graph itself is within 1e-4 of it.
    fixture(name).cases.forEach(({ outputs }, i) => {
      expect(largestDifference(after[i] ?? {}, outputs)).toBeLessThan(name.startsWith('float16') ? 2e-2 : 1e-4);
    });
  });

  it.each(['bert-sdpa-dynamo18', 'bart-bmm-script17', 'swin-windows-dynamo18', 'conv-separate-script11'])(
    'reproduces %s in the widened form too',
    async (name) => {
      const { before, after, report } = await outputsOf(name, { groups: 'heads', form: 'widened' });
      expect(report.swapped.map(({ form }) => form)).toEqual(fixture(name).sites.map(() => 'widened'));
      before.forEach((expected, i) => {
        expect(largestDifference(after[i] ?? {}, expected)).toBeLessThan(2e-5);
      });
    },
  );
});

describe('heads that really share', () => {
  it.each(planted)('are found in %s', async (name) => {
    const count = (dial: 'queryKey' | 'value') =>
      Math.max(...fixture(name).sites.flatMap((site) => site.planted?.[dial] ?? [])) + 1;
    const groups = { queryKey: count('queryKey'), value: count('value') };
    const { before, after, report } = await outputsOf(name, { groups });
    expect(report.swapped).toHaveLength(fixture(name).sites.length);
    for (const { fitError } of report.swapped) {
      expect(Math.max(fitError.queryKey, fitError.value)).toBeLessThan(name.startsWith('float16') ? 1e-4 : 1e-6);
    }
    before.forEach((expected, i) => {
      const names = comparable(name, expected);
      expect(largestDifference(after[i] ?? {}, expected, names)).toBeLessThan(name.startsWith('float16') ? 2e-2 : 1e-4);
    });
  });

  it.each(['bert-eager-dynamo18', 'vit-fused-qkv-script11', 't5-encoder-script12', 'interleaved-gathered-dynamo18'])(
    'are not found in %s, whose heads do not share',
    async (name) => {
      const { report } = await outputsOf(name, { groups: 1 });
      for (const { fitError } of report.swapped) {
        expect(Math.max(fitError.queryKey, fitError.value)).toBeGreaterThan(1e-3);
      }
    },
  );

  it.each(['direct', 'folded', 'widened'] as const)('come back in the %s form', async (form) => {
    const { before, after } = await outputsOf('bert-eager-dynamo20-planted', { groups: 1, form });
    before.forEach((expected, i) => {
      expect(largestDifference(after[i] ?? {}, expected)).toBeLessThan(1e-4);
    });
  });
});
