// The swap to a group for each head, on every exported model: it has to give what the model gave, and PyTorch before it.
import * as node from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { type OnnxSwapOptions, type OrtRuntime, swap } from '../src/index.js';
import { runAll } from '../src/swap/frontier.js';
import { fixture, fixtureModel, fixtureOf, largestDifference, swappableNames } from './fixture.js';
import { expectSound } from './swapped-graph.js';

const runtime = node as unknown as OrtRuntime;
const isFloat16 = (name: string) => name.startsWith('float16');

async function identitySwap(name: string, options: OnnxSwapOptions = {}) {
  const { cases, sites } = fixture(name);
  const inputs = cases.map((entry) => entry.inputs);
  const original = await fixtureModel(name);
  const { model, report } = await swap(original, { runtime, calibration: inputs, groups: 'heads', ...options });
  expect(report.swapped).toHaveLength(sites.length);
  expectSound(model, original);
  const [before, after] = [await runAll(original, inputs, { runtime }), await runAll(model, inputs, { runtime })];
  after.forEach((outputs, i) => {
    // float16 models round every step: a sum in another order differs by that much.
    expect(largestDifference(outputs, before[i] ?? {})).toBeLessThan(isFloat16(name) ? 5e-3 : 2e-5);
    expect(largestDifference(outputs, cases[i]?.outputs ?? {})).toBeLessThan(isFloat16(name) ? 2e-2 : 1e-4);
  });
  return report;
}

describe('the identity swap', () => {
  it.each(swappableNames)('reproduces %s', async (name) => {
    const report = await identitySwap(name);
    for (const { identityError, outputError, parameters } of report.swapped) {
      expect(identityError).toBeLessThan(isFloat16(name) ? 2e-2 : 2e-5);
      expect(outputError).toBeLessThan(isFloat16(name) ? 2e-2 : 2e-5);
      expect(parameters.after).toBe(parameters.before);
    }
    expect(report.notices.join('\n')).toMatch(/groups are as many as heads everywhere/);
  });

  it.each(['bert-sdpa', 'bart-bmm', 'swin-windows', 'conv-separate'])('reproduces %s widened, too', async (style) => {
    const report = await identitySwap(fixtureOf(style), { form: 'widened' });
    for (const { form } of report.swapped) expect(form).toBe('widened');
  });

  it.each([
    ['zeros', 0],
    ['no numbers', Number.NaN],
  ])('is proved by nothing where a block gives %s, which leaves the block alone', async (_, value) => {
    // Without biases, zeros come out as zeros.
    const model = await fixtureModel('einsum-script12');
    const calibration = [{ x: { dims: [1, 3, 18], data: new Float32Array(54).fill(value) } }];
    const { model: swapped, report } = await swap(model, { runtime, calibration });
    expect(swapped).toBe(model);
    expect(report.swapped).toEqual([]);
    expect(report.skipped.map(({ reason }) => reason)).toEqual([
      'its output on the calibration inputs is zero or no number, which proves nothing: give other inputs',
    ]);
  });

  it('squares in float32 what a model in half precision normalises', async () => {
    const calibration = fixture('float16-normed-script17').cases.map(({ inputs }) => inputs);
    const original = await fixtureModel('float16-normed-script17');
    const { model } = await swap(original, { runtime, groups: 'heads', calibration });
    const nodes = model.proto.graph?.node ?? [];
    const producer = (value: string | undefined) => nodes.find(({ output }) => output.includes(value ?? ''));
    const means = nodes.filter(({ opType, name }) => opType === 'ReduceMean' && name.startsWith('mhe/'));
    expect(means).toHaveLength(2);
    for (const mean of means) expect(producer(producer(mean.input[0])?.input[0])?.opType).toBe('Cast');
  });

  it('notices where it does not hold, and leaves the block alone', async () => {
    const name = fixtureOf('bert-sdpa');
    const model = await fixtureModel(name);
    const calibration = fixture(name).cases.map((entry) => entry.inputs);
    const { model: swapped, report } = await swap(model, { runtime, calibration, identityTolerance: 1e-9 });
    expect(swapped).toBe(model);
    expect(report.swapped).toEqual([]);
    expect(report.skipped.map(({ reason }) => reason).join()).toMatch(
      /the identity swap gives another output \(relative difference .*, at most 1e-9 expected\)/,
    );
  });
});
