// Against Keras: its layer on a few configurations, and a Keras model that its converter turned into a tfjs one.
import { readFile } from 'node:fs/promises';
import { type Float64Tensor, float64Tensor } from '@mhe/core';
import { MultiHeadAttention, registerLayers } from '@mhe/tfjs';
import { cast, io, memory, type serialization, type Tensor, tidy } from '@tensorflow/tfjs-core';
import { loadLayersModel } from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, it } from 'vitest';
import { relativeError } from '../../core/test/attention-reference.js';
import { nodeBackends, tolerances, useBackend } from './backends.js';
import { toFloat64, toTfjs } from './float64.js';

interface Array64 {
  readonly dims: readonly number[];
  readonly data: readonly number[];
}

interface LayerCase {
  readonly name: string;
  readonly args: Readonly<Record<string, unknown>>;
  readonly weights: readonly (Array64 & { readonly name: string })[];
  readonly inputs: Readonly<Record<string, Array64>>;
  readonly call: Readonly<Record<string, Array64 | boolean>>;
  readonly output: Array64;
  readonly scores: Array64;
}

const fixtures = new URL('./fixtures/keras/', import.meta.url);
const readJson = async (name: string) => JSON.parse(await readFile(new URL(name, fixtures), 'utf8')) as unknown;
const { cases } = (await readJson('layers.json')) as { readonly cases: readonly LayerCase[] };

const float64 = ({ data, dims }: Array64): Float64Tensor => float64Tensor(Float64Array.from(data), dims);
const single = (array: Array64) => toTfjs(float64(array));
const truth = (array: Array64) => cast(single(array), 'bool');
const camel = (name: string) => name.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase());

/** Names in camel case throughout, as tfjs hands on a configuration that it reads. */
function camelConfig(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(camelConfig);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [camel(name), camelConfig(inner)]));
}

function layerOf({ args }: LayerCase): MultiHeadAttention {
  const config = camelConfig(args) as serialization.ConfigDict;
  return MultiHeadAttention.fromConfig(MultiHeadAttention, config) as MultiHeadAttention;
}

function streamsOf({ inputs }: LayerCase): Tensor[] {
  return ['query', 'value', 'key'].flatMap((name) => (inputs[name] ? [single(inputs[name])] : []));
}

describe.each(nodeBackends)("Keras' MultiHeadAttention on %s", (backend) => {
  beforeAll(() => useBackend(backend));

  it.each(cases)('computes $name', async (layerCase) => {
    const { call } = layerCase;
    const before = memory().numTensors;
    const layer = layerOf(layerCase);
    const [output, scores] = tidy(() => {
      const inputs = streamsOf(layerCase);
      layer.apply(inputs);
      const names = layerCase.weights.map(({ name }) => `${layer.name}/${name}`);
      expect(layer.weights.map(({ originalName }) => originalName)).toEqual(names);
      layer.setWeights(layerCase.weights.map(single));
      const masks = [
        null,
        ...['value_mask', 'key_mask'].map((name) => (call[name] ? truth(call[name] as Array64) : null)),
      ];
      return layer.apply(inputs, {
        mask: masks,
        attentionMask: call.attention_mask ? truth(call.attention_mask as Array64) : null,
        useCausalMask: call.use_causal_mask === true,
        returnAttentionScores: true,
      }) as [Tensor, Tensor];
    });
    expect(relativeError(await toFloat64(output), float64(layerCase.output))).toBeLessThan(4 * tolerances[backend]);
    expect(relativeError(await toFloat64(scores), float64(layerCase.scores))).toBeLessThan(4 * tolerances[backend]);
    for (const result of [output, scores]) result.dispose();
    layer.dispose();
    expect(memory().numTensors).toBe(before);
  });

  it('loads a converted model with named inputs of attention, and predicts what Keras does', async () => {
    registerLayers();
    const topology = (await readJson('translator/model.json')) as io.ModelJSON;
    const weights = await readFile(new URL('translator/group1-shard1of1.bin', fixtures));
    const model = await loadLayersModel(
      io.fromMemory({
        modelTopology: topology.modelTopology,
        weightSpecs: topology.weightsManifest.flatMap((group) => group.weights),
        weightData: Uint8Array.from(weights).buffer,
      }),
    );
    const expected = (await readJson('translator/expected.json')) as {
      readonly inputs: Readonly<Record<string, Array64>>;
      readonly output: Array64;
    };
    const inputs = model.inputNames.map((name) => single(expected.inputs[name] as Array64));
    const output = model.predict(inputs) as Tensor;
    expect(relativeError(await toFloat64(output), float64(expected.output))).toBeLessThan(20 * tolerances[backend]);
    // As a part of another model, and a second time.
    for (const again of [model.apply(inputs) as Tensor, model.apply(inputs) as Tensor]) {
      expect(relativeError(await toFloat64(again), float64(expected.output))).toBeLessThan(20 * tolerances[backend]);
    }
  });
});
