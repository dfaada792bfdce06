// What the swap of layers keeps, what it leaves alone, and what it refuses.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { seededRandom } from '@mhe/core';
import {
  inspect,
  loadModel,
  multiHeadAttention,
  multiHeadEmbeddingAttention,
  readModel,
  registerLayers,
  swap,
  writeModel,
} from '@mhe/tfjs';
import {
  copyRegisteredKernels,
  engine,
  io,
  memory,
  registerBackend,
  setBackend,
  type Tensor,
  tensor,
  tensor2d,
  train,
  unregisterKernel,
} from '@tensorflow/tfjs-core';
import {
  input,
  type LayersModel,
  layers,
  loadLayersModel,
  model,
  type SymbolicTensor,
  sequential,
} from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, it } from 'vitest';
import { relativeError } from '../../core/test/attention-reference.js';
import { encodeFloats } from '../src/file/encode-weight.js';
import { weightValues } from '../src/file/weight-values.js';
import { useBackend } from './backends.js';
import { toFloat64 } from './float64.js';
import { randomise } from './layer-kinds.js';
import { feedsOf, modelOf, plantedHeads, styles, tensorsOf, widths, writtenHeads } from './layers-swap-models.js';

beforeAll(() => useBackend('cpu'));

const apply = (layer: InstanceType<typeof layers.Layer>, from: SymbolicTensor | SymbolicTensor[]) =>
  layer.apply(from) as SymbolicTensor;

async function close(actual: Tensor, expected: Tensor, tolerance = 2e-5): Promise<void> {
  expect(relativeError(await toFloat64(actual), await toFloat64(expected))).toBeLessThan(tolerance);
}

/** Weights that differ from layer to layer. */
function filled(built: LayersModel): LayersModel {
  randomise(built, 3);
  return built;
}

/** Synthetic inputs that cost little. */
const calibration = { synthetic: { sequences: 4, length: 6 } };

/** Heads as layers of their own, random weights, with one thing done otherwise. */
interface Change {
  readonly activation?: 'relu';
  readonly sharedKeys?: boolean;
  readonly between?: boolean;
  readonly regularised?: boolean;
  readonly dropped?: boolean;
  readonly gate?: boolean;
}

function odd(
  stream: SymbolicTensor,
  change: Change,
  numHeads = 2,
): { output: SymbolicTensor; probabilities: SymbolicTensor[] } {
  const dense = (units = 3) => layers.dense({ units });
  const keys = apply(dense(), stream);
  const probabilities: SymbolicTensor[] = [];
  const heads = Array.from({ length: numHeads }, (_, head) => {
    const q = apply(layers.dense({ units: 3, ...(change.activation && { activation: change.activation }) }), stream);
    const k = change.sharedKeys ? keys : apply(dense(), stream);
    let v = apply(dense(4), stream);
    if (change.dropped) v = apply(layers.dropout({ rate: 0.5 }), v);
    const scores = change.gate ? apply(dense(5), q) : apply(layers.dot({ axes: 2 }), [q, k]);
    const p = apply(layers.activation({ activation: 'softmax' }), scores);
    probabilities.push(p);
    const useful = change.regularised && head === 0 ? { trainable: false } : {};
    return apply(layers.dot({ axes: [2, 1] }), [
      p,
      change.regularised ? apply(layers.dense({ units: 4, ...useful }), stream) : v,
    ]);
  });
  let joined = numHeads === 1 ? (heads[0] as SymbolicTensor) : apply(layers.concatenate(), heads);
  if (change.between) joined = apply(layers.layerNormalization(), joined);
  return { output: apply(layers.dense({ units: 6 }), joined), probabilities };
}

const stream = (length: number | null = 5) => input({ shape: [length, 6], name: 'x' });

function single(make: (x: SymbolicTensor) => SymbolicTensor | SymbolicTensor[], x = stream()): LayersModel {
  return filled(model({ inputs: x, outputs: make(x) }));
}

/** What a model saves, as files keep it. */
const artifacts = async (built: LayersModel) => {
  const kept: io.ModelArtifacts[] = [];
  await built.save(
    io.withSaveHandler(async (saved) => {
      kept.push(JSON.parse(JSON.stringify({ ...saved, weightData: undefined })) as io.ModelArtifacts);
      kept.push(saved);
      return { modelArtifactsInfo: io.getModelArtifactsInfoForJSON(saved) };
    }),
  );
  return { ...(kept[0] as io.ModelArtifacts), weightData: (kept[1] as io.ModelArtifacts).weightData as ArrayBuffer };
};

describe('what the swap keeps', () => {
  it("a Keras model's masks, named inputs and weights, in files", async () => {
    const folder = fileURLToPath(new URL('./fixtures/keras/translator/', import.meta.url));
    const original = await readModel(folder);
    const seen = [0, 1, 2, 3].map((row) => [0, 1, 2, 3, 4].map((key) => Number(key !== row)));
    const inputs = { source: [[1, 2, 3, 0, 0]], target: [[4, 5, 0, 0]], seen_source: [seen] };
    const feeds = [inputs, { ...inputs, source: [[3, 4, 5, 6, 7]], target: [[4, 5, 9, 1]] }];
    const { model: same, report } = await swap(original, { groups: 'heads', calibration: feeds });
    expect(report.skipped).toEqual([]);
    expect(report.swapped.map(({ site }) => [site.name, site.mask, site.kind])).toEqual([
      ['decoder_attention', ['additive'], 'self'],
      ['encoder_attention', ['additive'], 'self'],
      ['cross_attention', ['additive'], 'cross'],
    ]);
    registerLayers();
    const [was, is] = [await loadLayersModel(original), await loadLayersModel(same)];
    const tensors = was.inputNames.map((name) => tensor(inputs[name as 'source']));
    await close(is.predict(tensors) as Tensor, was.predict(tensors) as Tensor);

    const { model: swapped } = await swap(original, { groups: 1, calibration: feeds });
    const parent = await mkdtemp(join(tmpdir(), 'swapped-'));
    try {
      await writeModel(swapped, join(parent, 'model'));
      const written = await readModel(join(parent, 'model'));
      const again = await loadLayersModel(written);
      await close(again.predict(tensors) as Tensor, (await loadLayersModel(swapped)).predict(tensors) as Tensor, 1e-9);
      expect((await inspect(written)).attention).toHaveLength(3);
    } finally {
      await rm(parent, { recursive: true });
    }
  });

  it('padding and later keys hidden, scores returned', async () => {
    const embed = (tokens: SymbolicTensor) =>
      apply(layers.embedding({ inputDim: 9, outputDim: 6, maskZero: true }), tokens);
    const [source, target] = [input({ shape: [5], name: 'source' }), input({ shape: [4], name: 'target' })];
    const make = () => multiHeadAttention({ numHeads: 2, keyDim: 3 });
    const decoded = make().apply(embed(target), { useCausalMask: true }) as SymbolicTensor;
    const outputs = make().apply([decoded, embed(source)], { returnAttentionScores: true }) as SymbolicTensor[];
    const built = filled(model({ inputs: [source, target], outputs }));
    const { model: swapped, report } = await swap(built, { groups: 1, calibration });
    expect(report.swapped).toHaveLength(2);
    expect(report.swapped[1]?.site.readOutside).toEqual(['probabilities']);
    expect(report.notices[0]).toMatch(/source \[1, 5\] numbers below 9/);
    const run = (last: number) =>
      swapped.predict([tensor2d([[1, 2, 3, 0, 0]]), tensor2d([[8, 7, last, 0]])]) as [Tensor, Tensor];
    const [[first, scores], [second]] = [run(6), run(1)];
    const rows = ((await scores.array()) as number[][][][])[0]?.flatMap((head) => head.slice(0, 3)) as number[][];
    for (const row of rows) expect(row.slice(3)).toEqual([0, 0]);
    const [a, b] = (await Promise.all([first.array(), second.array()])) as number[][][][];
    expect(b?.[0]?.slice(0, 2)).toEqual(a?.[0]?.slice(0, 2));
    expect(b?.[0]?.[2]).not.toEqual(a?.[0]?.[2]);
  });

  it('a mask that is added to the scores of heads of their own', async () => {
    const mask = input({ shape: [null, null], name: 'mask' });
    const weights = plantedHeads({ self: true });
    const built = modelOf({ self: true, attend: (s, w, fill) => writtenHeads(s, w, fill, { mask }) }, weights, [mask]);
    const random = seededRandom(2);
    const feeds = feedsOf(built, 6).map((feed) => {
      const length = feed.tokens?.dims[1] ?? 0;
      const data = Float32Array.from({ length: 2 * length * length }, (_, i) =>
        i % length < 2 ? random.normal() : random.uniform() < 0.4 ? -1e9 : 0,
      );
      return { ...feed, mask: { data, dims: [2, length, length] } };
    });
    const { model: swapped, report } = await swap(built, { groups: 1, calibration: feeds });
    expect(report.skipped).toEqual([]);
    expect(report.swapped[0]?.site.mask).toEqual(['additive']);
    expect(report.swapped[0]?.identityError).toBeLessThan(2e-5);
    const [feed] = feeds as [(typeof feeds)[number]];
    const inputs = built.inputNames.map((name) => {
      const { data, dims } = feed[name as 'mask'];
      return tensor(data, dims);
    });
    await close(swapped.predict(inputs) as Tensor, built.predict(inputs) as Tensor, 1e-4);
  });

  it('models in a model, of both kinds, and models of layers in a row', async () => {
    const inner = (x: SymbolicTensor) => {
      const attended = apply(multiHeadAttention({ numHeads: 2, keyDim: 3, name: 'attention' }), x);
      return odd(apply(layers.add({ name: 'sum' }), [x, attended]), {}).output;
    };
    const x = input({ shape: [5, 6], name: 'inner_x' });
    const block = model({ inputs: x, outputs: inner(x), name: 'block' });
    const row = sequential({
      name: 'row',
      layers: [
        multiHeadAttention({ numHeads: 2, keyDim: 3, inputShape: [5, 6], name: 'first' }),
        layers.dense({ units: 6 }),
      ],
    });
    const built = single((outer) => apply(row, apply(block, outer)));
    const { attention, skipped } = await inspect(built);
    expect(skipped).toEqual([]);
    expect(attention.map(({ name }) => name)).toEqual([
      'block/attention',
      expect.stringMatching(/^block\/activation.*…block\/activation/),
      'row/first',
    ]);
    const { model: swapped, report } = await swap(built, { groups: 'heads', calibration });
    expect(report.swapped).toHaveLength(3);
    const inputs = tensor(
      Float32Array.from({ length: 60 }, (_, i) => Math.sin(i)),
      [2, 5, 6],
    );
    await close(swapped.predict(inputs) as Tensor, built.predict(inputs) as Tensor);
    const { model: again, report: second } = await swap(swapped, { groups: 1, calibration });
    expect(second.swapped).toHaveLength(3);
    expect(again.countParams()).toBeLessThan(swapped.countParams());
  });

  it('everything that is no attention', async () => {
    const regularizer = { className: 'L1L2', config: { l1: 0.25, l2: 0 } };
    const x = stream();
    const attended = apply(
      multiHeadAttention({
        numHeads: 2,
        keyDim: 3,
        trainable: false,
        dropout: 0.3,
        kernelRegularizer: regularizer,
        name: 'attention',
      }),
      x,
    );
    const frozen = apply(layers.dense({ units: 6, trainable: false, name: 'frozen' }), attended);
    const built = filled(model({ inputs: x, outputs: [frozen, attended], name: 'whole' }));
    built.setUserDefinedMetadata({ labels: ['a'] });
    built.compile({ optimizer: train.adam(0.0125), loss: ['meanSquaredError', 'meanAbsoluteError'], metrics: ['mse'] });
    const { model: swapped } = await swap(built, { groups: 1, calibration });
    expect([swapped.name, swapped.inputNames, swapped.outputNames]).toEqual([
      built.name,
      built.inputNames,
      built.outputNames,
    ]);
    expect(swapped.layers.map(({ name }) => name)).toEqual(built.layers.map(({ name }) => name));
    expect(swapped.getUserDefinedMetadata()).toEqual({ labels: ['a'] });
    expect(swapped.getLayer('frozen').trainable).toBe(false);
    expect(swapped.getLayer('attention').trainable).toBe(false);
    expect(swapped.getLayer('attention').getConfig()).toMatchObject({ dropout: 0.3, kernelRegularizer: regularizer });
    await close(
      swapped.getLayer('frozen').getWeights()[0] as Tensor,
      built.getLayer('frozen').getWeights()[0] as Tensor,
      1e-9,
    );
    expect(swapped.optimizer.getConfig()).toEqual(built.optimizer.getConfig());
    expect(swapped.optimizer).not.toBe(built.optimizer);
    expect([swapped.loss, swapped.metrics]).toEqual([built.loss, built.metrics]);
  });

  it.each(['uint8', 'uint16', 'float16'] as const)('weights in %s', async (dtype) => {
    for (const style of [styles[0], styles[3]] as (typeof styles)[number][]) {
      const whole = await artifacts(modelOf(style, plantedHeads(style)));
      const held = await loadModel(io.fromMemory(whole));
      const quantised = held.with({
        weights: held.weights.map((weight) => {
          const { name, shape } = weight.spec;
          return shape.length > 1 ? encodeFloats(name, shape, weightValues(weight) as Float64Array, dtype) : weight;
        }),
      });
      const loaded = await loadLayersModel(quantised);
      const { model: swapped, report } = await swap(quantised, { groups: 1, calibration: feedsOf(loaded, 4) });
      expect(report.swapped[0]?.identityError).toBeLessThan(2e-5);
      const kernels = swapped.weights.filter(({ spec }) => spec.name.endsWith('/kernel'));
      expect(kernels).toHaveLength(5);
      expect(kernels.map(({ spec }) => spec.quantization?.dtype)).toEqual(Array(5).fill(dtype));
      expect(report.bytes.after).toBeLessThan(report.bytes.before);
      expect((await loadLayersModel(swapped)).countParams()).toBe(report.parameters.after);
    }
  });

  it.each(['mul', 'add'] as const)('what heads of MHE-%s share already', async (embedding) => {
    const make = () => multiHeadEmbeddingAttention({ numHeads: 4, headDim: 3, groups: 2, embedding, scale: 0.7 });
    const built = single((x) => apply(make(), x));
    const { model: swapped, report } = await swap(built, { groups: { queryKey: 2, value: 1 }, calibration });
    expect(report.swapped[0]?.identityError).toBeLessThan(2e-5);
    expect(report.notices.join()).toMatch(/shares projections already/);
    expect(swapped.countParams()).toBeLessThan(built.countParams());
  });

  it('the dropout and the settings of heads of their own', async () => {
    const [, , , , , style] = styles as [unknown, unknown, unknown, unknown, unknown, (typeof styles)[number]];
    const built = modelOf(style, plantedHeads(style));
    const { model: swapped } = await swap(built, { groups: 1, calibration: feedsOf(built, 2) });
    const attention = swapped.layers.find((layer) => layer.getClassName() === 'MultiHeadEmbeddingAttention');
    expect(attention?.getConfig()).toMatchObject({ dropout: 0.2, trainable: true, outputShape: [widths.query] });
  });
});

// As many ways lead through it as no machine can take one by one.
it('attention in a deep model is found', async () => {
  const depth = 24;
  const built = single((x) => {
    let at = x;
    for (let i = 0; i < depth; i++) {
      const attended = apply(multiHeadAttention({ numHeads: 2, keyDim: 3 }), at);
      at = apply(layers.add(), [at, i % 8 === 0 ? odd(attended, {}).output : attended]);
    }
    return at;
  });
  const { attention, skipped } = await inspect(built);
  expect([attention.length, skipped]).toEqual([depth + 3, []]);
});

it('the factorised form is taken where it is asked for and can be', async () => {
  const style = styles[3] as (typeof styles)[number];
  const built = modelOf(style, plantedHeads({ embedding: 'add' }));
  const given = { calibration: feedsOf(built, 4), form: 'factorised' } as const;
  const { model: swapped, report } = await swap(built, { ...given, embedding: 'add' });
  expect(report.swapped[0]).toMatchObject({ form: 'factorised', formReason: 'it was asked for' });
  const inputs = tensorsOf(built, feedsOf(built, 1, 99)[0] as (typeof given.calibration)[number]);
  await close(swapped.predict(inputs) as Tensor, built.predict(inputs) as Tensor, 1e-4);
  await expect(swap(built, { ...given, embedding: 'mul' })).rejects.toThrow(/factorised.*MHE-ADD/);
});

describe('what the swap leaves alone', () => {
  const shared = multiHeadAttention({ numHeads: 2, keyDim: 3, name: 'shared' });
  const wrapped = () => layers.timeDistributed({ layer: multiHeadAttention({ numHeads: 2, keyDim: 3 }) as never });
  const decoys: readonly [string, () => LayersModel, RegExp][] = [
    [
      'a classifier',
      () => single((x) => apply(layers.dense({ units: 4, activation: 'softmax' }), x)),
      /nothing is weighted by it/,
    ],
    ['a gate', () => single((x) => odd(x, { gate: true }).output), /its input is no product of queries and keys/],
    [
      'attention over recurrent states',
      () => {
        const x = stream();
        const states = apply(
          layers.lstm({ units: 6, returnSequences: true, recurrentInitializer: 'glorotUniform' }),
          x,
        );
        const scores = apply(layers.dot({ axes: [2, 2] }), [states, x]);
        const context = apply(layers.dot({ axes: [2, 1] }), [
          apply(layers.activation({ activation: 'softmax' }), scores),
          x,
        ]);
        return filled(model({ inputs: x, outputs: apply(layers.dense({ units: 3 }), context) }));
      },
      /query passes through lstm|not a projection/,
    ],
    [
      'projections with an activation',
      () => single((x) => odd(x, { activation: 'relu' }).output),
      /query passes through .*relu/,
    ],
    [
      'keys that heads share',
      () => single((x) => odd(x, { sharedKeys: true }).output),
      /share key columns|serves several heads/,
    ],
    [
      'probabilities that the model puts out',
      () =>
        single((x) => {
          const { output, probabilities } = odd(x, {});
          return [output, probabilities[0] as SymbolicTensor];
        }),
      /before any projection/,
    ],
    [
      'a norm before the output projection',
      () => single((x) => odd(x, { between: true }).output),
      /before any projection/,
    ],
    [
      'a frozen projection among others',
      () => single((x) => odd(x, { regularised: true }).output),
      /before any projection/,
    ],
    ['dropout of values', () => single((x) => odd(x, { dropped: true }).output), /its dropout .* not the only one/],
    ['a single head', () => single((x) => odd(x, {}, 1).output), /single head/],
    ['a layer in two places', () => single((x) => apply(shared, apply(shared, x))), /used in several places/],
    [
      'attention in a wrapper',
      () =>
        filled(
          model(
            (() => {
              const x = input({ shape: [2, 5, 6], name: 'x' });
              return { inputs: x, outputs: apply(wrapped(), x) };
            })(),
          ),
        ),
      /inside TimeDistributed/,
    ],
    [
      'inputs of four axes',
      () =>
        filled(
          model(
            (() => {
              const x = input({ shape: [2, 5, 6], name: 'x' });
              return { inputs: x, outputs: apply(multiHeadAttention({ numHeads: 2, keyDim: 3 }), x) };
            })(),
          ),
        ),
      /more axes than/,
    ],
    [
      'MHE',
      () => single((x) => apply(multiHeadEmbeddingAttention({ numHeads: 2, headDim: 3 }), x)),
      /is multi-head-embedding attention already, of 1 query-key and 1 value groups/,
    ],
    [
      'heads of their own in a model behind a Keras mask',
      () => {
        const inner = input({ shape: [5, 6], name: 'inner' });
        const block = model({ inputs: inner, outputs: odd(inner, {}).output });
        const tokens = input({ shape: [5], name: 'tokens' });
        const x = apply(layers.embedding({ inputDim: 9, outputDim: 6, maskZero: true }), tokens);
        return filled(model({ inputs: tokens, outputs: apply(block, x) }));
      },
      /may come with a Keras mask/,
    ],
    [
      'heads of their own behind a Keras mask',
      () => {
        const tokens = input({ shape: [5], name: 'tokens' });
        const x = apply(layers.embedding({ inputDim: 9, outputDim: 6, maskZero: true }), tokens);
        return filled(model({ inputs: tokens, outputs: odd(x, {}).output }));
      },
      /may come with a Keras mask/,
    ],
  ];

  it.each(decoys)('%s', async (_name, make, reason) => {
    const built = make();
    const before = memory().numTensors;
    const { model: result, report } = await swap(built, { calibration });
    expect(report.swapped).toEqual([]);
    expect(report.skipped.map((site) => site.reason).join()).toMatch(reason);
    expect(report.notices.join()).not.toMatch(/shares projections already/);
    expect(result).toBe(built);
    expect(memory().numTensors).toBe(before);
  });
});

describe('what the swap refuses', () => {
  const attended = () =>
    single((x) =>
      apply(
        layers.dense({ units: 2, name: 'last' }),
        apply(multiHeadAttention({ numHeads: 2, keyDim: 3, name: 'attention' }), x),
      ),
    );

  const damages: readonly [string, (text: string) => string, RegExp][] = [
    [
      'a layer that reads from none',
      (text) => text.replace('[["attention",0,0,', '[["nowhere",0,0,'),
      /"last" read from a layer "nowhere"/,
    ],
    [
      'layers that wait for each other',
      (text) => text.replace('[["x",0,0,', '[["last",0,0,'),
      /the layers "attention", "last" wait for each other/,
    ],
    [
      'two layers of one name',
      (text) => text.replaceAll('"last"', '"attention"'),
      /two layers have the name "attention"/,
    ],
    [
      'a class that nobody knows',
      (text) => text.replace('"class_name":"Dense"', '"class_name":"Denser"'),
      /cannot load the model: Unknown layer: Denser/,
    ],
    [
      'other sizes than the weights have',
      (text) => text.replace('"units":2', '"units":3'),
      /cannot load the model: .*[Ss]hape/,
    ],
    [
      'a size that would fill the memory',
      (text) => text.replace('"units":2', '"units":2000000000'),
      /"last" has units 2000000000, and no weight of the model has so many elements/,
    ],
    ['no list of layers', (text) => text.replace('"layers":', '"levels":'), /no list of layers/],
    [
      'heads of no size',
      (text) => text.replace('"key_dim":3', '"key_dim":-1'),
      /keyDim must be a whole number above 0/,
    ],
  ];

  it.each(damages)('%s', async (_name, damage, message) => {
    const whole = await artifacts(attended());
    const text = JSON.stringify(whole.modelTopology);
    const broken = damage(text);
    expect(broken).not.toBe(text);
    const held = await loadModel(io.fromMemory({ ...whole, modelTopology: JSON.parse(broken) as object }));
    const before = memory().numTensors;
    await expect(inspect(held)).rejects.toThrow(message);
    await expect(swap(held)).rejects.toThrow(message);
    expect(memory().numTensors).toBe(before);
  });

  it('what is no model', async () => {
    await expect(inspect({} as never)).rejects.toThrow(/expected a model of readModel or loadModel/);
  });

  it('a backend without a kernel, by its name', async () => {
    const built = attended();
    registerBackend('without', () => engine().findBackend('cpu'));
    copyRegisteredKernels('cpu', 'without');
    unregisterKernel('Maximum', 'without');
    await setBackend('without');
    try {
      await expect(swap(built)).rejects.toThrow("the backend 'without' lacks Maximum for a swap");
    } finally {
      await useBackend('cpu');
    }
  });
});

it('keeps no tensors, whether it works or not', async () => {
  const built = modelOf(styles[3] as (typeof styles)[number], plantedHeads());
  const feeds = feedsOf(built, 1);
  const run = async () => {
    const { model: swapped } = await swap(built, { groups: 1, calibration: feeds });
    swapped.dispose();
    await expect(swap(built, { form: 'widened', calibration: feeds })).rejects.toThrow(/widened/);
    await expect(swap(built, { calibration: [{ tokens: [[[1]]] }] })).rejects.toThrow(/calibration input 1/);
    const stop = new AbortController();
    const onProgress = ({ stage }: { readonly stage: string }) => stage === 'fit' && stop.abort();
    await expect(swap(built, { calibration: feeds, signal: stop.signal, onProgress })).rejects.toThrow(/abort/i);
  };
  await run();
  const before = memory().numTensors;
  for (let cycle = 0; cycle < 10; cycle++) await run();
  expect(memory().numTensors).toBe(before);
});

it('gives the same weights every time', async () => {
  const built = modelOf(styles[0] as (typeof styles)[number], plantedHeads());
  const numbers = async () => {
    const { model: swapped } = await swap(built, { groups: { queryKey: 1, value: 2 }, calibration });
    return (await Promise.all(swapped.getWeights().map((weight) => weight.data()))).map((data) => Array.from(data));
  };
  expect(await numbers()).toEqual(await numbers());
});
