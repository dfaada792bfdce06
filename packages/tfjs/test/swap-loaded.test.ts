// The swap of models that TensorFlow.js has loaded, on every backend of Node, and what it takes of a backend.
import { fileURLToPath } from 'node:url';
import { inspect, readModel, swap } from '@mhe/tfjs';
import { GraphModel, loadGraphModel } from '@tensorflow/tfjs-converter';
import { io, memory, ones, profile, Tensor, tensor } from '@tensorflow/tfjs-core';
import { LayersModel } from '@tensorflow/tfjs-layers';
import { describe, expect, it } from 'vitest';
import { relativeError } from '../../core/test/attention-reference.js';
import { neededKernels } from '../src/port/require-kernels.js';
import { OutputSums } from '../src/swap/output-sums.js';
import { StreamMoments } from '../src/swap/stream-moments.js';
import { nodeBackends, useBackend } from './backends.js';
import { toFloat64 } from './float64.js';
import { feedsOf, modelOf, plantedHeads, styles, tensorsOf } from './layers-swap-models.js';

/** The one output of a graph model, whether it comes by itself, in a list or by name. */
const outputOf = (model: GraphModel, inputs: Tensor[]): Tensor => {
  const result = model.predict(inputs);
  return result instanceof Tensor ? result : (Object.values(result)[0] as Tensor);
};

const close = async (actual: Tensor, expected: Tensor, tolerance: number) =>
  expect(relativeError(await toFloat64(actual), await toFloat64(expected))).toBeLessThan(tolerance);

describe.each(nodeBackends)('on %s', (backend) => {
  it('a graph model is swapped, saved and loaded', async () => {
    await useBackend(backend);
    const held = await readModel(fileURLToPath(new URL('./fixtures/graph/dense-planted/', import.meta.url)));
    const loaded = await loadGraphModel(held);
    expect((await inspect(loaded)).attention).toEqual((await inspect(held)).attention);
    const { model, report } = await swap(loaded, { groups: 1, calibration: { synthetic: { sequences: 4 } } });
    expect(model).toBeInstanceOf(GraphModel);
    expect(report.swapped).toHaveLength(1);
    const shapes = loaded.inputs.map(({ shape }) => (shape ?? []).map((size) => (size < 0 ? 3 : size)));
    const inputs = shapes.map((shape) =>
      tensor(
        Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(i)),
        shape,
      ),
    );
    const expected = outputOf(loaded, inputs);
    await close(outputOf(model, inputs), expected, 1e-4);
    const kept: io.ModelArtifacts[] = [];
    await model.save(
      io.withSaveHandler(async (artifacts) => {
        kept.push(artifacts);
        return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' } };
      }),
    );
    const again = await loadGraphModel(io.fromMemory(kept[0] as io.ModelArtifacts));
    await close(outputOf(again, inputs), expected, 1e-4);
  });

  it.each([0, 3])('a model of layers is swapped (style %i)', async (number) => {
    await useBackend(backend);
    const style = styles[number] as (typeof styles)[number];
    const built = modelOf(style, plantedHeads(style));
    const { model, report } = await swap(built, { groups: 1, calibration: feedsOf(built, 6) });
    expect(model).toBeInstanceOf(LayersModel);
    expect(report.swapped[0]?.identityError).toBeLessThan(2e-5);
    const inputs = tensorsOf(built, feedsOf(built, 1, 99)[0] as ReturnType<typeof feedsOf>[number]);
    await close(model.predict(inputs) as Tensor, built.predict(inputs) as Tensor, 1e-4);
  });

  it('the moments take the kernels that are asked for', async () => {
    await useBackend(backend);
    const before = memory().numTensors;
    const [moments, outputs] = [new StreamMoments(), new OutputSums(1)];
    const tensors = [ones([6, 4]), ones([2, 3, 4]), ones([2, 2, 3, 3]), ones([6, 5])] as const;
    const [rows, stream, probabilities, targets] = tensors;
    const { kernelNames } = await profile(async () => {
      await moments.addQueries(rows as never);
      await moments.addKeysAndValues(stream as never, stream as never, probabilities as never);
      await outputs.add(0, rows as never, targets as never);
      await Promise.all([moments.total(), outputs.total()]);
      return [];
    });
    expect(kernelNames.filter((name) => !neededKernels.swap.includes(name) && name !== 'unnamed scope')).toEqual([]);
    for (const one of tensors) one.dispose();
    moments.dispose();
    outputs.dispose();
    expect(memory().numTensors).toBe(before);
  });
});
