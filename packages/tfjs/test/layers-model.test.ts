// The layers in models: masks, saving and loading, shared use.
import { seededRandom } from '@mhe/core';
import { io, memory, slice, type Tensor, tensor2d, tensor3d, tidy } from '@tensorflow/tfjs-core';
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
import { useBackend } from './backends.js';
import {
  type AttentionKind,
  expectOther,
  expectSame,
  kinds,
  numHeads,
  randomise,
  randomTensor,
} from './layer-kinds.js';

beforeAll(() => useBackend('cpu'));

const embed = (tokens: SymbolicTensor) =>
  layers.embedding({ inputDim: 9, outputDim: 6, maskZero: true }).apply(tokens) as SymbolicTensor;

/** Encoder and decoder over tokens, 0 for padding, with every kind of mask. */
function translator(make: AttentionKind['make']): LayersModel {
  const source = input({ shape: [5], name: 'source' });
  const target = input({ shape: [4], name: 'target' });
  const encoded = layers.layerNormalization().apply(make().apply(embed(source))) as SymbolicTensor;
  const decoded = make().apply(embed(target), { useCausalMask: true }) as SymbolicTensor;
  const outputs = make().apply([decoded, encoded], { returnAttentionScores: true }) as SymbolicTensor[];
  const built = model({ inputs: [source, target], outputs });
  randomise(built);
  return built;
}

const source = [
  [1, 2, 3, 0, 0],
  [4, 5, 6, 7, 0],
];
const target = [
  [8, 7, 6, 0],
  [5, 4, 0, 0],
];
const translate = (built: LayersModel, targetTokens = target) =>
  built.predict([tensor2d(source), tensor2d(targetTokens)]) as [Tensor, Tensor];

async function savedArtifacts(original: LayersModel): Promise<io.ModelArtifacts> {
  const kept: io.ModelArtifacts[] = [];
  await original.save(
    io.withSaveHandler(async (artifacts) => {
      kept.push(artifacts);
      return { modelArtifactsInfo: io.getModelArtifactsInfoForJSON(artifacts) };
    }),
  );
  const [artifacts] = kept as [io.ModelArtifacts];
  // As a file keeps it.
  return { ...artifacts, modelTopology: JSON.parse(JSON.stringify(artifacts.modelTopology)) as object };
}

/** How the saved model has its layers of this package. */
function attentionOf({ modelTopology }: io.ModelArtifacts): object[] {
  const { config } = modelTopology as { readonly config: { readonly layers: { readonly class_name: string }[] } };
  const attention = config.layers.filter(({ class_name }) => /Attention|Mask/.test(class_name));
  expect(attention).toHaveLength(4);
  return attention;
}

const reloaded = async (original: LayersModel) => loadLayersModel(io.fromMemory(await savedArtifacts(original)));

describe.each(kinds)('$name in a model', ({ make }) => {
  it('hides the padded keys of another stream, and later keys', async () => {
    const built = translator(make);
    const [output, scores] = translate(built);
    expect([output.shape, scores.shape]).toEqual([
      [2, 4, 6],
      [2, numHeads, 4, 5],
    ]);
    const heads = ((await scores.array()) as number[][][][])[0] as number[][][];
    // Queries that are padding themselves see nothing in particular.
    for (const row of heads.flatMap((rows) => rows.slice(0, 3))) {
      expect(row.slice(3)).toEqual([0, 0]);
      expect(row.slice(0, 3).every((x) => x > 0)).toBe(true);
    }
    const [again] = translate(built, [
      [8, 7, 1, 0],
      [5, 4, 0, 0],
    ]);
    await expectSame(slice(again, [0, 0, 0], [1, 2, 6]), slice(output, [0, 0, 0], [1, 2, 6]));
    await expectSame(slice(again, [1, 0, 0], [1, 4, 6]), slice(output, [1, 0, 0], [1, 4, 6]));
    await expectOther(slice(again, [0, 2, 0], [1, 1, 6]), slice(output, [0, 2, 0], [1, 1, 6]));
  });

  it('is saved and loaded with its masks, arguments and weights', async () => {
    const built = translator(make);
    const loaded = await reloaded(built);
    for (const [i, output] of translate(loaded).entries())
      await expectSame(output, translate(built)[i] as Tensor, 1e-7);
    const [once, twice] = [await savedArtifacts(built), await savedArtifacts(loaded)];
    expect(attentionOf(twice)).toEqual(attentionOf(once));
    expect(twice.weightSpecs).toEqual(once.weightSpecs);
  });

  it('works as a part of another model, run after run', async () => {
    const built = translator(make);
    const outer = [input({ shape: [5] }), input({ shape: [4] })];
    const wrapped = model({ inputs: outer, outputs: built.apply(outer) as SymbolicTensor[] });
    const expected = translate(built);
    for (let pass = 0; pass < 2; pass++) {
      for (const [i, output] of translate(wrapped).entries()) await expectSame(output, expected[i] as Tensor);
    }
  });

  it('works in a Sequential model, saved and loaded', async () => {
    const built = sequential({
      layers: [
        layers.embedding({ inputDim: 9, outputDim: 6, maskZero: true, inputLength: 5 }),
        make({ outputShape: 4 }),
        layers.dense({ units: 2 }),
      ],
    });
    randomise(built);
    const expected = built.predict(tensor2d(source)) as Tensor;
    expect(expected.shape).toEqual([2, 5, 2]);
    await expectSame((await reloaded(built)).predict(tensor2d(source)) as Tensor, expected, 1e-7);
  });

  it('does not take the mask of another stream for its own', async () => {
    const tokens = input({ shape: [4] });
    const plain = input({ shape: [4, 6] });
    const attention = make();
    const masked = make().apply(embed(tokens)) as SymbolicTensor;
    const outputs = [masked, attention.apply(plain) as SymbolicTensor];
    const built = model({ inputs: [tokens, plain], outputs });
    randomise(built);
    const x = randomTensor(seededRandom(2), [2, 4, 6]);
    const [, output] = built.predict([tensor2d(target), x]) as [Tensor, Tensor];
    await expectSame(output, attention.apply(x) as Tensor);
  });

  it('takes values, keys and a mask as further inputs of a model', async () => {
    const symbols = [
      input({ shape: [4, 6] }),
      input({ shape: [5, 7] }),
      input({ shape: [5, 8] }),
      input({ shape: [4, 5] }),
    ];
    const [query, value, key, attentionMask] = symbols as [
      SymbolicTensor,
      SymbolicTensor,
      SymbolicTensor,
      SymbolicTensor,
    ];
    const attention = make();
    const built = model({
      inputs: symbols,
      outputs: attention.apply(query, { value, key, attentionMask }) as SymbolicTensor,
    });
    randomise(built);
    const random = seededRandom(3);
    const [q, v, k] = [
      [2, 4, 6],
      [2, 5, 7],
      [2, 5, 8],
    ].map((dims) => randomTensor(random, dims)) as [Tensor, Tensor, Tensor];
    const mask = tensor3d(
      Array.from({ length: 40 }, (_, i) => (i % 3 === 0 ? 1 : 0)),
      [2, 4, 5],
    );
    const expected = attention.apply(q, { value: v, key: k, attentionMask: mask }) as Tensor;
    await expectSame(built.predict([q, v, k, mask]) as Tensor, expected);
    await expectSame((await reloaded(built)).predict([q, v, k, mask]) as Tensor, expected);
    await expectOther(attention.apply([q, v, k]) as Tensor, expected);
  });

  it('shares its weights between uses that agree, and refuses others', () => {
    const [first, second] = [input({ shape: [4, 6] }), input({ shape: [3, 6] })];
    const attention = make({ name: 'shared' });
    attention.apply(first, { useCausalMask: true });
    expect((attention.apply(second, { useCausalMask: true }) as SymbolicTensor).shape).toEqual([null, 3, 6]);
    expect(() => attention.apply(second)).toThrow(
      /shared: the uses of a layer in a model must agree.*take a layer for each/,
    );
    expect(attention.inboundNodes).toHaveLength(2);
  });

  it('keeps no tensors when it predicts', () => {
    const built = translator(make);
    const before = memory().numTensors;
    tidy(() => {
      translate(built);
    });
    expect(memory().numTensors).toBe(before);
  });
});
