// The swap of models of layers: heads that share, planted and found again, in every style.

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect, type SwapReport, swap } from '@mhe/tfjs';
import { io, type Tensor, tensor3d, train } from '@tensorflow/tfjs-core';
import { type LayersModel, loadLayersModel } from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, it } from 'vitest';
import { relativeError } from '../../core/test/attention-reference.js';
import { useBackend } from './backends.js';
import { toFloat64 } from './float64.js';
import {
  feedsOf,
  modelOf,
  numHeads,
  plantedHeads,
  styles,
  tensorsOf,
  valueHeadDim,
  widths,
} from './layers-swap-models.js';

beforeAll(() => useBackend('cpu'));

const calibrationOf = (built: LayersModel) => feedsOf(built, 8);

/** Largest difference of what two models make of inputs that no calibration had, relative to the largest number. */
async function difference(actual: LayersModel, expected: LayersModel): Promise<number> {
  const [feed] = feedsOf(expected, 1, 99) as [ReturnType<typeof feedsOf>[number]];
  const inputs = tensorsOf(expected, feed);
  const [is, was] = [actual, expected].map((model) => model.predict(inputs) as Tensor) as [Tensor, Tensor];
  const error = relativeError(await toFloat64(is), await toFloat64(was));
  for (const tensor of [...inputs, is, was]) tensor.dispose();
  return error;
}

/** Saves into a folder and loads from it, by handlers that write `model.json` and one file of weights. */
async function throughFolder(model: LayersModel): Promise<LayersModel> {
  const folder = await mkdtemp(join(tmpdir(), 'layers-'));
  try {
    await model.save(
      io.withSaveHandler(async ({ weightData, ...artifacts }) => {
        await writeFile(join(folder, 'weights.bin'), new Uint8Array(weightData as ArrayBuffer));
        await writeFile(join(folder, 'model.json'), JSON.stringify(artifacts));
        return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' } };
      }),
    );
    const artifacts = JSON.parse(await readFile(join(folder, 'model.json'), 'utf8')) as io.ModelArtifacts;
    const weights = await readFile(join(folder, 'weights.bin'));
    return await loadLayersModel(io.fromMemory({ ...artifacts, weightData: Uint8Array.from(weights).buffer }));
  } finally {
    await rm(folder, { recursive: true });
  }
}

const only = ({ swapped }: SwapReport) => {
  expect(swapped).toHaveLength(1);
  return swapped[0] as (typeof swapped)[number];
};

describe.each(styles)('$name', (style) => {
  const weights = plantedHeads(style);
  const build = () => modelOf(style, weights);

  it('is found', async () => {
    const { attention, skipped } = await inspect(build());
    expect(skipped).toEqual([]);
    expect(attention).toHaveLength(1);
    const memoryDim = style.self ? widths.query : widths.key;
    expect(attention[0]).toMatchObject({
      kind: style.self ? 'self' : 'cross',
      numHeads,
      headDim: weights.headDim,
      valueHeadDim,
      dims: { query: widths.query, key: memoryDim, value: memoryDim, output: widths.query },
      streams: { query: 'tokens', key: style.self ? 'tokens' : 'memory', value: style.self ? 'tokens' : 'memory' },
      mask: ['none'],
    });
  });

  it('gives the planted group back, trains on, and is saved and loaded', async () => {
    const built = build();
    const { model, report } = await swap(built, { groups: 1, calibration: calibrationOf(built) });
    const site = only(report);
    expect(report.skipped).toEqual([]);
    expect(site.groups).toEqual({ queryKey: 1, value: 1 });
    expect(await difference(model, built)).toBeLessThan(1e-4);
    expect(report.outputs[0]?.relative).toBeLessThan(1e-4);
    expect(model.countParams()).toBeLessThan(built.countParams());
    expect(report.parameters).toEqual({ before: built.countParams(), after: model.countParams() });
    expect(await difference(await throughFolder(model), model)).toBe(0);

    const [feed] = feedsOf(model, 1, 5) as [ReturnType<typeof feedsOf>[number]];
    const inputs = tensorsOf(model, feed);
    const target = tensor3d(
      Array.from({ length: 30 }, (_, i) => Math.sin(i)),
      [2, 5, 3],
    );
    model.compile({ optimizer: train.adam(0.02), loss: 'meanSquaredError' });
    const { history } = await model.fit(inputs, target, { epochs: 12, verbose: 0 });
    const losses = history.loss as number[];
    expect(losses.at(-1)).toBeLessThan(0.7 * (losses[0] as number));
  });
});

// A layer of MHE with a group for every head would be left alone.
it.each(styles.filter(({ name }) => !name.includes('Embedding')))('$name is itself', async (style) => {
  const built = modelOf(style, plantedHeads(style));
  const { model, report } = await swap(built, { groups: 'heads', calibration: feedsOf(built, 2) });
  expect(only(report).identityError).toBeLessThan(2e-5);
  expect(await difference(model, built)).toBeLessThan(2e-5);
});

describe('the swap of layers', () => {
  const [style] = styles as [(typeof styles)[number]];

  it('finds planted MHE-ADD', async () => {
    const built = modelOf(style, plantedHeads({ embedding: 'add' }));
    const { model, report } = await swap(built, { embedding: 'add', calibration: calibrationOf(built) });
    expect(only(report)).toMatchObject({ embedding: 'add', form: 'folded' });
    expect(await difference(model, built)).toBeLessThan(1e-4);
  });
});
