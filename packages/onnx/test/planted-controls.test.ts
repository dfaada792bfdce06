// That a planted test can fail: heads that do not share do not come back, and neither do heads whose layout is misread.
import { fitMhe } from '@mhe/core';
import * as node from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { misreadWeights } from '../../core/test/misread-weights.js';
import { plantedGroups } from '../../core/test/planted-groups.js';
import { type OrtRuntime, swap } from '../src/index.js';
import { findSites } from '../src/inspect.js';
import { runAll } from '../src/swap/frontier.js';
import { fixture, fixtureModel, fixtureOf, largestDifference } from './fixture.js';

const runtime = node as unknown as OrtRuntime;

/** One of every way to lay out projections and heads. */
const styles = [
  ...['bert-eager', 'vit-fused-qkv', 'interleaved-gathered', 'interleaved-chunked', 'conv-packed', 'conv-interleaved'],
  ...['torch-mha-self', 'bart-bmm', 'einsum', 'value-size', 'swin-windows'],
];

/** Others than the inputs that are compared: a refit on few positions brings anything back on these. */
const calibration = { synthetic: { sequences: 4 } };

async function changeAt(name: string, form: 'auto' | 'direct' | 'widened' = 'auto'): Promise<number> {
  const { sites, cases } = fixture(name);
  const inputs = cases.map((entry) => entry.inputs);
  const model = await fixtureModel(name);
  const groups = plantedGroups(sites);
  const { model: swapped, report } = await swap(model, { runtime, groups, form, calibration });
  expect(report.swapped).toHaveLength(sites.length);
  const [before, after] = [await runAll(model, inputs, { runtime }), await runAll(swapped, inputs, { runtime })];
  return Math.max(...before.map((expected, i) => largestDifference(after[i] ?? {}, expected)));
}

describe('one group', () => {
  it.each(styles)('does not bring back %s, whose heads share nothing', async (style) => {
    expect(await changeAt(fixtureOf(style))).toBeGreaterThan(1e-3);
  });

  it.each(styles)('is found for %s, and not where its layout is misread', async (style) => {
    const name = fixtureOf(`${style}-planted`);
    const { found } = findSites(await fixtureModel(name), {});
    const planted = fixture(name).sites[0]?.planted;
    if (!planted) throw new Error(`${name} is not planted`);
    const [{ block }] = found as [(typeof found)[0]];
    const right = await fitMhe(block.weights(), { groups: planted });
    expect(Math.max(right.queryKeyError.overall, right.valueError.overall)).toBeLessThan(1e-8);
    const wrong = await fitMhe(misreadWeights(block.weights()), { groups: planted });
    // Values of one group lie in one space, whichever head they are given to: only the scores tell.
    expect(wrong.queryKeyError.overall).toBeGreaterThan(1e-2);
  });
});

describe('heads that share come back', () => {
  it.each(['bert-sdpa', 'vit-fused-qkv', 'torch-mha-cross', 'interleaved-gathered', 'swin-windows'])(
    'in the direct form of %s',
    async (style) => {
      expect(await changeAt(fixtureOf(`${style}-planted`), 'direct')).toBeLessThan(1e-4);
    },
  );

  it.each(['bert-sdpa', 'vit-fused-qkv', 'torch-mha-cross', 'interleaved-gathered', 'conv-packed', 'bart-bmm'])(
    'in the widened form of %s',
    async (style) => {
      expect(await changeAt(fixtureOf(`${style}-planted`), 'widened')).toBeLessThan(1e-4);
    },
  );
});
