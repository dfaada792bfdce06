// The layers against core's float64 definition, output and gradient, on one backend.
import {
  type AttentionWeights,
  additiveMaskRule,
  combineRules,
  type Float64Tensor,
  float64Port,
  float64Tensor,
  type Matrix,
  type MheWeights,
  mha,
  mhe,
  neighbourGroups,
  type Projection,
  type ScoreRules,
  scaleRule,
  seededRandom,
} from '@mhe/core';
import { multiHeadAttention, multiHeadEmbeddingAttention } from '@mhe/tfjs';
import {
  cast,
  dispose,
  grads,
  memory,
  mul,
  sum,
  type Tensor,
  tidy,
  type Variable,
  variableGrads,
} from '@tensorflow/tfjs-core';

import { beforeAll, expect, it } from 'vitest';
import { relativeError } from '../../core/test/attention-reference.js';
import { browserBackends, type TestBackend, tolerances, useBackend } from './backends.js';
import { differences } from './differences.js';
import { randomFloat64, toFloat64, toTfjs } from './float64.js';

type Layer = ReturnType<typeof multiHeadAttention> | ReturnType<typeof multiHeadEmbeddingAttention>;

interface LayerCase {
  readonly name: string;
  /** Group of every head; absent in MHA. */
  readonly groups?: { readonly queryKey: readonly number[]; readonly value: readonly number[] };
  readonly embedding?: 'mul' | 'add';
  readonly streams: 'self' | 'cross' | 'three streams';
  readonly mask: 'none' | 'causal' | 'Keras masks' | 'attention mask' | 'attention mask per head';
  readonly scale?: number;
  make(): Layer;
}

const numHeads = 3;
const headDim = 2;
const valueHeadDim = 4;
const batch = 2;
const queries = 4;

const one = neighbourGroups(numHeads, 1);
const each = neighbourGroups(numHeads, numHeads);

function mheCase(
  { embedding, streams, mask, groups = { queryKey: one, value: one } }: Omit<LayerCase, 'name' | 'make'>,
  form: 'auto' | 'direct' | 'folded' | 'factorised',
  options: { useBias?: boolean; scale?: number } = {},
): LayerCase {
  const args = { numHeads, headDim, valueHeadDim, groups, form, embeddingsInitializer: 'randomNormal', ...options };
  return {
    name: `MHE-${embedding?.toUpperCase()} ${form}, groups ${groups.queryKey} and ${groups.value}, ${streams}, ${mask}`,
    groups,
    ...(embedding && { embedding }),
    streams,
    mask,
    ...options,
    make: () => multiHeadEmbeddingAttention({ ...args, ...(embedding && { embedding }), causal: mask === 'causal' }),
  };
}

const mixed = { queryKey: [1, 0, 1], value: [0, 0, 1] };
const shared = { queryKey: one, value: each };

const cases: readonly LayerCase[] = [
  ...(['self', 'cross', 'three streams'] as const).map(
    (streams): LayerCase => ({
      name: `MHA, ${streams}`,
      streams,
      mask: streams === 'self' ? 'causal' : 'Keras masks',
      make: () => multiHeadAttention({ numHeads, keyDim: headDim, valueDim: valueHeadDim }),
    }),
  ),
  ...(['direct', 'folded', 'auto'] as const).flatMap((form) =>
    (['mul', 'add'] as const).flatMap((embedding) => [
      mheCase({ embedding, streams: 'self', mask: 'causal' }, form),
      mheCase({ embedding, streams: 'three streams', mask: 'Keras masks', groups: mixed }, form, { scale: 0.3 }),
      mheCase({ embedding, streams: 'cross', mask: 'attention mask per head', groups: shared }, form, {
        useBias: false,
      }),
    ]),
  ),
  mheCase({ embedding: 'add', streams: 'self', mask: 'none' }, 'factorised'),
  mheCase({ embedding: 'add', streams: 'self', mask: 'causal', groups: shared }, 'factorised'),
  mheCase({ embedding: 'add', streams: 'three streams', mask: 'Keras masks', groups: mixed }, 'factorised'),
  mheCase(
    { embedding: 'add', streams: 'cross', mask: 'attention mask', groups: { queryKey: each, value: one } },
    'factorised',
  ),
];

const keysOf = ({ streams }: LayerCase) => (streams === 'self' ? queries : 5);

/** Streams of the case, as the layer takes them. */
function randomInputs(layerCase: LayerCase): Float64Tensor[] {
  const random = seededRandom(7);
  const query = randomFloat64([batch, queries, 6], random);
  if (layerCase.streams === 'self') return [query];
  const value = randomFloat64([batch, keysOf(layerCase), 7], random);
  return layerCase.streams === 'cross'
    ? [query, value]
    : [query, value, randomFloat64([batch, keysOf(layerCase), 5], random)];
}

/** Which keys a query may see, by Keras' masks, `[batch, queries]` and `[batch, keys]`, or an attention mask. */
function randomMasks(layerCase: LayerCase) {
  const random = seededRandom(8);
  const keys = keysOf(layerCase);
  // The first key stays, so that no row is left without any.
  const draw = (dims: readonly number[], stays: number) =>
    float64Tensor(
      randomFloat64(dims, random).data.map((x, i) => (i % stays === 0 || x > 0 ? 1 : 0)),
      dims,
    );
  const perHead = layerCase.mask === 'attention mask per head';
  return {
    value: layerCase.mask === 'Keras masks' ? draw([batch, keys], keys) : null,
    key: layerCase.mask === 'Keras masks' && layerCase.streams === 'three streams' ? draw([batch, keys], keys) : null,
    attention: layerCase.mask.startsWith('attention mask')
      ? draw(perHead ? [batch, numHeads, queries, keys] : [batch, queries, keys], keys)
      : null,
  };
}

type Masks = ReturnType<typeof randomMasks>;

function callArgs(layerCase: LayerCase, masks: Masks) {
  const truth = (mask: Float64Tensor | null) => mask && cast(toTfjs(mask), 'bool');
  return {
    mask: [null, truth(masks.value), truth(masks.key)],
    attentionMask: truth(masks.attention),
    useCausalMask: layerCase.mask === 'causal',
  };
}

/** The same masks as additions to the scores, in float64. */
function float64Rules(layerCase: LayerCase, masks: Masks, scale: number): ScoreRules<Float64Tensor> {
  const keys = keysOf(layerCase);
  const rule = (mask: Float64Tensor, dims: readonly number[]) =>
    additiveMaskRule(
      float64Port,
      float64Tensor(
        mask.data.map((x) => (x - 1) * 1e9),
        dims,
      ),
      'per head',
    );
  const causal = float64Tensor(
    Float64Array.from({ length: queries * keys }, (_, i) => (i % keys <= Math.floor(i / keys) ? 1 : 0)),
    [queries, keys],
  );
  return combineRules([
    scaleRule(float64Port, scale),
    ...(masks.value ? [rule(masks.value, [batch, 1, 1, keys])] : []),
    ...(masks.key ? [rule(masks.key, [batch, 1, 1, keys])] : []),
    ...(masks.attention
      ? [rule(masks.attention, masks.attention.dims.length === 4 ? masks.attention.dims : [batch, 1, queries, keys])]
      : []),
    ...(layerCase.mask === 'causal' ? [rule(causal, [queries, keys])] : []),
  ]);
}

/** A layer's weights by the last part of their names. */
type NamedWeights = Readonly<Record<string, Float64Tensor>>;

async function readWeights(layer: Layer): Promise<NamedWeights> {
  const named = layer.weights.map(async (weight) => {
    const name = weight.originalName.slice(layer.name.length + 1);
    return [name, await toFloat64(weight.read())] as const;
  });
  return Object.fromEntries(await Promise.all(named));
}

function matrix({ data, dims }: Float64Tensor, rows: number): Matrix {
  return { rows, cols: dims.reduce((a, b) => a * b, 1) / rows, data };
}

/** The definition, core's, of a layer with these weights. */
function definition(
  layerCase: LayerCase,
  weights: NamedWeights,
  inputs: readonly Float64Tensor[],
  masks: Masks,
): Float64Tensor {
  const [query, value = query, key = value] = inputs as [Float64Tensor, Float64Tensor?, Float64Tensor?];
  const projection = (name: string, rows: number): Projection => ({
    weight: matrix(weights[`${name}/kernel`] as Float64Tensor, rows),
    bias: weights[`${name}/bias`]?.data ?? null,
  });
  const scale = layerCase.scale ?? 1 / Math.sqrt(headDim);
  const projections = {
    numHeads,
    headDim,
    valueHeadDim,
    scale,
    query: projection('query', query.dims[2] as number),
    key: projection('key', key.dims[2] as number),
    value: projection('value', value.dims[2] as number),
    output: projection('attention_output', numHeads * valueHeadDim),
  } satisfies AttentionWeights;
  const rules = float64Rules(layerCase, masks, scale);
  if (!layerCase.groups) return mha(float64Port, projections, { query, value, key }, rules);
  const embedding = (name: string) => matrix(weights[`${name}/embedding`] as Float64Tensor, numHeads);
  const mheWeights: MheWeights = {
    ...projections,
    groups: layerCase.groups,
    embedding: layerCase.embedding ?? 'mul',
    queryEmbedding: embedding('query'),
    keyEmbedding: embedding('key'),
    valueEmbedding: embedding('value'),
  };
  return mhe(float64Port, mheWeights, { query, value, key }, rules);
}

/** A built layer whose weights, biases and embeddings too, are random numbers of ordinary size. */
function randomLayer(layerCase: LayerCase, inputs: readonly Float64Tensor[]): Layer {
  const layer = layerCase.make();
  tidy(() => {
    layer.apply(inputs.map(toTfjs));
    const random = seededRandom(9);
    layer.setWeights(layer.weights.map((weight) => toTfjs(randomFloat64(weight.shape as number[], random, 0.6))));
  });
  return layer;
}

export function testLayers(backend: TestBackend): void {
  const tolerance = tolerances[backend];
  beforeAll(() => useBackend(backend));

  // Compiling shaders takes long, and the forms share their operations. See the test of what WebGPU refuses.
  const expressible = cases.filter(({ name }) => {
    if (name.includes('factorised')) return backend !== 'webgpu';
    return !(browserBackends as readonly string[]).includes(backend) || !/direct|folded/.test(name);
  });

  it.each(expressible)('$name: the output is the definition', async (layerCase) => {
    const before = memory().numTensors;
    const inputs = randomInputs(layerCase);
    const masks = randomMasks(layerCase);
    const layer = randomLayer(layerCase, inputs);
    const output = tidy(() => layer.apply(inputs.map(toTfjs), callArgs(layerCase, masks)) as Tensor);
    const expected = definition(layerCase, await readWeights(layer), inputs, masks);
    expect(relativeError(await toFloat64(output), expected)).toBeLessThan(10 * tolerance);
    output.dispose();
    layer.dispose();
    expect(memory().numTensors).toBe(before);
  });

  it.each(expressible)('$name: the gradient is that of finite differences of the definition', async (layerCase) => {
    const inputs = randomInputs(layerCase);
    const masks = randomMasks(layerCase);
    const layer = randomLayer(layerCase, inputs);
    const weights = await readWeights(layer);
    const chosen = randomFloat64(definition(layerCase, weights, inputs, masks).dims, seededRandom(10));
    const loss = (tensors: Tensor[]) =>
      sum(mul(layer.apply(tensors, callArgs(layerCase, masks)) as Tensor, toTfjs(chosen)));
    const [ofInputs, ofWeights] = tidy(() => {
      const variables = layer.trainableWeights.map((weight) => weight.read() as Variable);
      const { grads: named } = variableGrads(() => loss(inputs.map(toTfjs)) as never, variables);
      const byInput = grads(((...tensors: Tensor[]) => loss(tensors)) as never)(inputs.map(toTfjs));
      return [byInput, variables.map(({ name }) => named[name])] as const;
    });
    const total = (values: readonly Float64Tensor[], drawn: NamedWeights) => {
      const output = definition(layerCase, drawn, values, masks);
      return output.data.reduce((a, x, i) => a + x * (chosen.data[i] as number), 0);
    };
    // Some gradients are zero by the mathematics: rounding is measured against the largest of all.
    const expected = [
      ...inputs.map((_, i) => differences(inputs, i, (moved) => total(moved, weights))),
      ...Object.keys(weights).map((name) =>
        differences([weights[name] as Float64Tensor], 0, ([moved]) =>
          total(inputs, { ...weights, [name]: moved as Float64Tensor }),
        ),
      ),
    ];
    const largest = Math.max(...expected.flatMap(({ data }) => [...data].map(Math.abs)));
    for (const [i, gradient] of [...ofInputs, ...ofWeights].entries()) {
      const { data, dims } = expected[i] as Float64Tensor;
      const actual = gradient ? await toFloat64(gradient) : float64Tensor(new Float64Array(data.length), dims);
      const name = [...inputs.map((_, input) => `input ${input}`), ...Object.keys(weights)][i];
      expect(actual.dims, name).toEqual(dims);
      const worst = actual.data.reduce((max, x, at) => Math.max(max, Math.abs(x - (data[at] as number))), 0);
      expect(worst / largest, name).toBeLessThan(20 * tolerance);
    }
    dispose([...ofInputs, ...ofWeights.flatMap((gradient) => gradient ?? [])]);
    layer.dispose();
  });
}
