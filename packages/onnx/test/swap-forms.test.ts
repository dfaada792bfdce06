import { type AttentionForm, FormError } from '@mhe/core';
import * as node from 'onnxruntime-node';
import * as web from 'onnxruntime-web';
import { describe, expect, it } from 'vitest';
import { type OrtRuntime, swap } from '../src/index.js';
import { runAll } from '../src/swap/frontier.js';
import { fixture, fixtureModel, fixtureOf, largestDifference } from './fixture.js';

web.env.wasm.numThreads = 1;
const runtimes = { node: node as unknown as OrtRuntime, web: web as unknown as OrtRuntime };

async function swapped(name: string, form: 'auto' | AttentionForm, embedding: 'mul' | 'add') {
  const inputs = fixture(name).cases.map((entry) => entry.inputs);
  const model = await fixtureModel(name);
  const result = await swap(model, { runtime: runtimes.node, groups: 1, embedding, form, calibration: inputs });
  return { ...result, outputs: await runAll(result.model, inputs, { runtime: runtimes.node }), inputs };
}

/** Masks of every kind, causal, cross attention, window masks, streams with the length first, heads of other sizes. */
const styles = [
  'bert-eager-dynamo18',
  'bert-sdpa-optimum14',
  'mask-sdpa-causal-script14',
  'torch-mha-cross-dynamo18',
  'torch-mha-cross-length-first-script17',
  'value-size-script13',
  'einsum-script12',
  'conv-separate-script11',
  'mask-guarded-script13',
];

/** Each form's output is refitted to its own float32 heads, a few positions each: the weights differ a little. */
const REFITTED = 2e-4;

describe('forms of one swap', () => {
  it.each(styles)('agree for MHE-ADD in %s', async (name) => {
    const automatic = await swapped(name, 'auto', 'add');
    const folded = await swapped(name, 'folded', 'add');
    const direct = await swapped(name, 'direct', 'add');
    expect(automatic.report.swapped.map(({ form, formReason }) => [form, formReason])).toEqual([
      ['factorised', 'the fastest for MHE-ADD'],
    ]);
    folded.outputs.forEach((expected, i) => {
      expect(largestDifference(automatic.outputs[i] ?? {}, expected)).toBeLessThan(REFITTED);
      expect(largestDifference(direct.outputs[i] ?? {}, expected)).toBeLessThan(REFITTED);
    });
  });

  it.each(styles)('agree for MHE-MUL in %s', async (name) => {
    const folded = await swapped(name, 'auto', 'mul');
    const others = [await swapped(name, 'direct', 'mul')];
    if (name !== 'einsum-script12') others.push(await swapped(name, 'widened', 'mul'));
    expect(folded.report.swapped.map(({ form }) => form)).toEqual(['folded']);
    folded.outputs.forEach((expected, i) => {
      for (const other of others) expect(largestDifference(other.outputs[i] ?? {}, expected)).toBeLessThan(REFITTED);
    });
  });

  it.each(styles)('compute the same in ONNX Runtime Web (%s)', async (name) => {
    for (const embedding of ['mul', 'add'] as const) {
      const { model, inputs, outputs } = await swapped(name, 'auto', embedding);
      const inWeb = await runAll(model, inputs, { runtime: runtimes.web });
      outputs.forEach((expected, i) => {
        expect(largestDifference(inWeb[i] ?? {}, expected)).toBeLessThan(5e-5);
      });
    }
  });

  it.each([
    ['t5-encoder-script12', 'factorised', 'add', /factorised: its mask or bias differs between heads/],
    [
      fixtureOf('output-probabilities'),
      'factorised',
      'add',
      /factorised: its scores or probabilities are read outside/,
    ],
    ['bart-bmm-script17', 'folded', 'mul', /folded: its heads are not an axis of their own/],
    ['einsum-script12', 'widened', 'mul', /widened: .* columns on several axes/],
  ] as const)('refuse %s as %s %s by name', async (name, form, embedding, message) => {
    const error = await swapped(name, form, embedding).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(FormError);
    expect((error as Error).message).toMatch(message);
  });

  it('refuse the factorised form for MHE-MUL before any work', async () => {
    await expect(swapped('bert-eager-dynamo18', 'factorised', 'mul')).rejects.toThrow(/form: .* it is one of MHE-ADD/);
  });

  it.each([
    ['t5-encoder-script12', 'folded', /not factorised: its mask or bias differs between heads/],
    ['bart-bmm-script17', 'widened', /its heads are not an axis of their own/],
  ] as const)('fall back in %s to %s and say why', async (name, form, reason) => {
    const { report } = await swapped(name, 'auto', 'add');
    for (const site of report.swapped) {
      expect(site.form).toBe(form);
      expect(site.formReason).toMatch(reason);
    }
  });
});
