// The layers by themselves: configuration, shapes, dropout, forms, memory and errors.
import { seededRandom } from '@mhe/core';
import {
  MultiHeadAttention,
  MultiHeadEmbeddingAttention,
  multiHeadAttention,
  multiHeadEmbeddingAttention,
  registerLayers,
} from '@mhe/tfjs';
import {
  add,
  cast,
  copyRegisteredKernels,
  dispose,
  dropout,
  engine,
  grad,
  matMul,
  memory,
  mul,
  ones,
  profile,
  registerBackend,
  reshape,
  type Scalar,
  serialization,
  setBackend,
  square,
  sum,
  type Tensor,
  tensor,
  unregisterKernel,
  type Variable,
  variableGrads,
} from '@tensorflow/tfjs-core';
import { input, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { beforeEach, describe, expect, it } from 'vitest';
import { neededKernels } from '../src/port/require-kernels.js';
import { useBackend } from './backends.js';
import { expectOther, expectSame, kinds, numHeads, randomise, randomTensor } from './layer-kinds.js';

beforeEach(() => useBackend('cpu'));

/** An initialiser that fails. */
class Failing extends serialization.Serializable {
  static className = 'Failing';

  apply(): Tensor {
    throw new Error('no more memory');
  }

  getConfig(): serialization.ConfigDict {
    return {};
  }
}
serialization.registerClass(Failing);

const stream = (seed: number, ...dims: number[]) => randomTensor(seededRandom(seed), dims);

describe.each(kinds)('$name', ({ make }) => {
  it('computes the same when made again from its configuration', async () => {
    const layer = make({
      name: 'original',
      useBias: false,
      outputShape: [2, 4],
      kernelInitializer: 'heNormal',
      trainable: false,
    });
    const x = stream(1, 2, 4, 6);
    const expected = layer.apply(x) as Tensor;
    const again = Object.getPrototypeOf(layer).constructor.fromConfig(
      layer.constructor,
      layer.getConfig(),
    ) as typeof layer;
    again.apply(x);
    again.setWeights(layer.getWeights());
    expect(again.getConfig()).toEqual(layer.getConfig());
    await expectSame(again.apply(x) as Tensor, expected, 1e-7);
  });

  it('says its output shape as it is', () => {
    for (const args of [{}, { outputShape: 5 }, { outputShape: [2, 3] }, { attentionAxes: 2 }]) {
      for (const scores of [false, true]) {
        const layer = make(args);
        const inputs = 'attentionAxes' in args ? [stream(2, 2, 3, 4, 6)] : [stream(2, 2, 4, 6), stream(3, 2, 5, 7)];
        const symbols = inputs.map(({ shape }) => input({ batchShape: shape }));
        const said = [layer.apply(symbols, { returnAttentionScores: scores }) as SymbolicTensor].flat();
        const actual = [layer.apply(inputs, { returnAttentionScores: scores }) as Tensor].flat();
        expect(actual.map(({ shape }) => shape)).toEqual(said.map(({ shape }) => shape));
      }
    }
  });

  it('attends over one of two axes as over each sequence by itself', async () => {
    const layer = make({ attentionAxes: [2] });
    const x = stream(4, 2, 3, 4, 6);
    const expected = layer.apply(x) as Tensor;
    randomise(layer);
    const single = make();
    const rows = reshape(x, [6, 4, 6]);
    single.apply(rows);
    single.setWeights(layer.getWeights());
    await expectSame(layer.apply(x) as Tensor, reshape(single.apply(rows) as Tensor, expected.shape));
  });

  it('drops probabilities in training only, and returns them as they were', async () => {
    const layer = make({ dropout: 0.5 });
    const x = stream(5, 2, 6, 6);
    layer.apply(x);
    randomise(layer);
    const [output, scores] = layer.apply(x, { returnAttentionScores: true, training: false }) as [Tensor, Tensor];
    const [dropped, scoresOfDropped] = layer.apply(x, { returnAttentionScores: true, training: true }) as [
      Tensor,
      Tensor,
    ];
    await expectSame(layer.apply(x) as Tensor, output);
    await expectOther(dropped, output);
    await expectSame(scoresOfDropped, scores);
    await expectOther(layer.apply(x, { training: true }) as Tensor, layer.apply(x, { training: true }) as Tensor);
  });

  it('drops the same with the same seed, and something else each time', async () => {
    const [a, b] = [make({ dropout: 0.5, seed: 4 }), make({ dropout: 0.5, seed: 4 })];
    const x = stream(5, 2, 6, 6);
    for (const layer of [a, b]) {
      layer.apply(x);
      randomise(layer);
    }
    const first = a.apply(x, { training: true }) as Tensor;
    await expectSame(b.apply(x, { training: true }) as Tensor, first);
    await expectOther(a.apply(x, { training: true }) as Tensor, first);
  });

  it('takes Keras masks from the tensors, and as arguments', async () => {
    const layer = make();
    const [x, y] = [stream(6, 2, 4, 6), stream(7, 2, 5, 6)];
    layer.apply([x, y]);
    randomise(layer);
    const mask = cast(
      tensor([
        [1, 1, 1, 0, 0],
        [1, 0, 1, 1, 1],
      ]),
      'bool',
    );
    const given = layer.apply([x, y], { mask: [null, mask] }) as Tensor;
    y.kerasMask = mask;
    await expectSame(layer.apply([x, y]) as Tensor, given);
    const alone = layer.apply(y, { mask }) as Tensor;
    await expectSame(layer.apply(y) as Tensor, alone);
    expect(alone.kerasMask).toBe(mask);
    await expectOther(layer.apply(stream(7, 2, 5, 6)) as Tensor, alone);
  });

  it('frees everything, errors and training steps included', () => {
    const cycle = () => {
      const layer = make({ dropout: 0.2 });
      const x = stream(8, 2, 4, 6);
      const [wide, mask] = [stream(9, 2, 4, 7), ones([2, 4])];
      const loss = () => sum(square(layer.apply(x, { training: true, mask }) as Tensor)) as Scalar;
      dispose(layer.apply(x, { useCausalMask: true, returnAttentionScores: true }) as Tensor[]);
      const { value, grads } = variableGrads(
        loss,
        layer.trainableWeights.map((weight) => weight.read() as Variable),
      );
      expect(() => layer.apply(wide)).toThrow(/the query has 7 features, and the layer was built for 6/);
      expect(() => layer.apply([x, x, x, mask])).toThrow();
      const failing = make({ biasInitializer: { className: 'Failing', config: {} } });
      expect(() => failing.apply(x)).toThrow('no more memory');
      dispose([value, grads, x, wide, mask] as never);
      layer.dispose();
    };
    cycle();
    const before = memory();
    for (let i = 0; i < 10; i++) cycle();
    expect([memory().numTensors, memory().numDataBuffers]).toEqual([before.numTensors, before.numDataBuffers]);
  });

  it('adds what regularisers say to the loss, and keeps to constraints', () => {
    const layer = make({
      kernelRegularizer: { className: 'L2', config: { l2: 0.5 } },
      kernelConstraint: 'nonNeg',
      useBias: false,
    });
    layer.apply(stream(10, 2, 4, 6));
    randomise(layer);
    const kernels = layer.weights.filter(({ originalName }) => originalName.endsWith('kernel'));
    expect(kernels).toHaveLength(4);
    const expected = kernels.reduce(
      (total, weight) => total + 0.5 * (sum(square(weight.read())).dataSync()[0] as number),
      0,
    );
    const losses = layer.calculateLosses().map((loss) => loss.dataSync()[0] as number);
    expect(losses.reduce((a, b) => a + b, 0)).toBeCloseTo(expected, 4);
    for (const kernel of kernels) expect(Math.min(...kernel.read().dataSync())).toBe(0);
  });

  it('knows each kernel that it takes', async () => {
    const used = { inference: new Set<string>(), training: new Set<string>() };
    const x = stream(11, 2, 4, 6);
    const call = { mask: ones([2, 4]), attentionMask: ones([4, 4]), useCausalMask: true };
    const forms = make().name.includes('embedding') ? (['direct', 'folded', 'auto'] as const) : [undefined];
    for (const form of forms) {
      const layer = make({ ...(form && { form }), dropout: form === 'folded' ? 0 : 0.1, attentionAxes: [1] });
      const forward = await profile(() => layer.apply(x, call) as Tensor);
      for (const name of forward.kernelNames) used.inference.add(name);
      const loss = () => sum(square(layer.apply(x, { ...call, training: true }) as Tensor)) as Scalar;
      const variables = layer.trainableWeights.map((weight) => weight.read() as Variable);
      const backward = await profile(() => variableGrads(loss, variables).value);
      for (const name of backward.kernelNames) used.training.add(name);
    }
    for (const use of ['inference', 'training'] as const) {
      used[use].delete('unnamed scope');
      expect([...used[use]].filter((name) => !neededKernels[use].includes(name))).toEqual([]);
    }
  });
});

describe('MHE', () => {
  it('starts as MHA with its heads where every head has a group of its own', async () => {
    const x = stream(12, 2, 4, 6);
    const mha = multiHeadAttention({ numHeads, keyDim: 3, valueDim: 5 });
    mha.apply(x);
    randomise(mha);
    for (const embedding of ['mul', 'add'] as const) {
      const mhe = multiHeadEmbeddingAttention({ numHeads, headDim: 3, valueHeadDim: 5, groups: 'heads', embedding });
      mhe.apply(x);
      const weights = new Map(
        mha.weights.map(({ originalName }, i) => [
          originalName.split('/').slice(-2).join('/'),
          mha.getWeights()[i] as Tensor,
        ]),
      );
      mhe.setWeights(
        mhe.weights.map(
          (weight) => weights.get(weight.originalName.split('/').slice(-2).join('/')) ?? (weight.read() as Tensor),
        ),
      );
      await expectSame(mhe.apply(x) as Tensor, mha.apply(x) as Tensor);
    }
  });

  it('has the weights of its groups, and as many as the paper counts', () => {
    const layer = multiHeadEmbeddingAttention({
      numHeads: 4,
      headDim: 8,
      groups: { queryKey: 1, value: 2 },
      useBias: false,
    });
    layer.apply(input({ shape: [null, 32] }));
    expect(layer.weights.map(({ originalName, shape }) => [originalName.slice(layer.name.length + 1), shape])).toEqual([
      ['query/kernel', [32, 1, 8]],
      ['key/kernel', [32, 1, 8]],
      ['value/kernel', [32, 2, 8]],
      ['query/embedding', [4, 8]],
      ['key/embedding', [4, 8]],
      ['value/embedding', [4, 8]],
      ['attention_output/kernel', [4, 8, 32]],
    ]);
  });

  it('computes MHE-ADD under dropout by the definition: the dropped probabilities times values and their embeddings', async () => {
    const layer = multiHeadEmbeddingAttention({
      numHeads: 1,
      headDim: 3,
      embedding: 'add',
      dropout: 0.4,
      seed: 6,
      useBias: false,
    });
    const x = stream(13, 1, 5, 4);
    layer.apply(x);
    randomise(layer);
    const [, scores] = layer.apply(x, { returnAttentionScores: true }) as [Tensor, Tensor];
    const kept = mul(reshape(scores, [5, 5]), dropout(ones([5, 5]), 0.4, undefined, 6));
    const [, , valueKernel, , , valueEmbedding, outputKernel] = layer.getWeights() as [
      Tensor,
      Tensor,
      Tensor,
      Tensor,
      Tensor,
      Tensor,
      Tensor,
    ];
    const values = add(matMul(reshape(x, [5, 4]), reshape(valueKernel, [4, 3])), valueEmbedding);
    const expected = matMul(matMul(kept, values), reshape(outputKernel, [3, 4]));
    await expectSame(layer.apply(x, { training: true }) as Tensor, reshape(expected, [1, 5, 4]));
  });

  it('takes one softmax for all heads of MHE-ADD over long sequences, and one a head where float32 would lose keys', async () => {
    const x = stream(14, 1, 300, 8);
    const [layer, folded] = (['auto', 'folded'] as const).map((form) =>
      multiHeadEmbeddingAttention({ numHeads: 3, headDim: 4, embedding: 'add', form }),
    ) as [MultiHeadEmbeddingAttention, MultiHeadEmbeddingAttention];
    for (const each of [layer, folded]) {
      each.apply(x);
      randomise(each);
    }
    const softmaxShapes = async () => {
      const { kernels } = await profile(() => layer.apply(x) as Tensor);
      return kernels.filter(({ name }) => name === 'Softmax').map(({ outputShapes }) => outputShapes[0]);
    };
    expect(await softmaxShapes()).toEqual([[1, 1, 300, 300]]);
    await expectSame(layer.apply(x) as Tensor, folded.apply(x) as Tensor, 1e-5);
    for (const each of [layer, folded]) {
      const weights = each.weights.map((weight) => weight.read() as Tensor);
      each.setWeights(
        weights.map((weight, i) =>
          each.weights[i]?.originalName.endsWith('query/embedding') ? mul(weight, 40) : weight,
        ),
      );
    }
    expect(await softmaxShapes()).toEqual([[1, 3, 300, 300]]);
    await expectSame(layer.apply(x) as Tensor, folded.apply(x) as Tensor, 1e-6);
  });

  it('gives the key embedding of MHE-ADD no gradient, not even rounding errors', () => {
    const layer = multiHeadEmbeddingAttention({ numHeads: 2, headDim: 3, embedding: 'add' });
    const x = stream(15, 2, 4, 6);
    layer.apply(x);
    randomise(layer);
    const variables = layer.trainableWeights.map((weight) => weight.read() as Variable);
    const { grads } = variableGrads(() => sum(square(layer.apply(x) as Tensor)) as Scalar, variables);
    const without = variables.filter(({ name }) => !grads[name]).map(({ name }) => name.slice(layer.name.length + 1));
    expect(without).toEqual(['key/embedding']);
  });
});

describe('errors', () => {
  const x = () => stream(16, 2, 4, 6);
  const args = { numHeads: 2, headDim: 3, name: 'attention' };

  it.each([
    ['numHeads', { numHeads: 0 }, 'attention: numHeads must be a whole number above 0, got 0'],
    ['headDim', { headDim: 2.5 }, 'attention: headDim must be a whole number above 0, got 2.5'],
    ['dropout', { dropout: 1 }, 'attention: dropout must be from 0 up to 1, got 1'],
    ['embedding', { embedding: 'max' as never }, "attention: embedding must be one of mul, add, got 'max'"],
    ['too many groups', { groups: 3 }, "attention: groups must be a whole number from 1 to 2 or 'heads', got 3"],
    [
      'gaps in the groups',
      { groups: [0, 2] },
      'attention: groups must be a group for each of 2 heads, counted from 0, got [0, 2]',
    ],
    ['a form', { form: 'factorised' as const }, 'factorised: it takes MHE-ADD, whose heads share their scores'],
    [
      'a form under dropout',
      { form: 'folded' as const, embedding: 'add' as const, dropout: 0.1 },
      'use the form direct or auto',
    ],
    ['an initialiser', { kernelInitializer: 'nobody' }, "unknown initializer 'nobody'"],
    ['an activity regulariser', { activityRegularizer: 'l2' } as object, 'leave activityRegularizer out'],
  ])('%s', (_, wrong, message) => {
    expect(() => multiHeadEmbeddingAttention({ ...args, ...wrong })).toThrow(message);
  });

  it.each([
    ['inputs of two axes', () => [stream(1, 4, 6)], {}, 'attention: expected inputs of at least three axes'],
    ['streams of different rank', () => [x(), stream(1, 2, 4, 4, 6)], {}, 'must have as many axes'],
    ['more keys than values', () => [x(), stream(1, 2, 5, 6), x()], {}, 'there must be a key for each value'],
    ['no input', () => [], {}, 'attention: expected a query, got no input'],
    ['five inputs', () => [x(), x(), x(), x(), x()], {}, 'at most, got 5 inputs'],
    ['a value twice', () => [x(), x()], { value: ones([2, 4, 6]) }, 'attention: value is given twice'],
    [
      'an attention mask of another batch',
      () => [x()],
      { attentionMask: ones([3, 4, 4]) },
      'attentionMask: its first axis must be the batch of 2, or 1, got [3, 4, 4]',
    ],
    ['a mask of five axes', () => [x()], { attentionMask: ones([1, 1, 1, 4, 4]) }, 'attentionMask must have axes'],
    [
      'a mask of too few keys',
      () => [x()],
      { attentionMask: ones([2, 4, 3]) },
      'attentionMask: its last two axes must be 4 queries and 4 keys, or 1, got [2, 4, 3]',
    ],
    [
      'a Keras mask of another length',
      () => [x()],
      { mask: ones([4, 2], 'bool') },
      'the mask of the query must be [batch, 4], got [4, 2]',
    ],
    [
      'scores of the factorised form',
      () => [x()],
      { returnAttentionScores: true },
      'it cannot return the attention scores',
    ],
    [
      'a mask per head in it',
      () => [x()],
      { attentionMask: ones([2, 2, 4, 4]) },
      'the attention mask differs between heads',
    ],
  ])('%s', (_, inputs, call, message) => {
    const layer = multiHeadEmbeddingAttention({ ...args, embedding: 'add', form: 'factorised' });
    expect(() => layer.apply(inputs(), call)).toThrow(message);
  });

  it('a size that is open', () => {
    const layer = multiHeadAttention({ numHeads: 2, keyDim: 3, name: 'attention' });
    const symbol = input({ shape: [4, null] });
    expect(() => layer.apply(symbol)).toThrow(
      'attention: the last axis of the query must have a known size, got [?, 4, ?]',
    );
  });

  it('axes that are not there', () => {
    const layer = multiHeadAttention({ numHeads: 2, keyDim: 3, name: 'attention', attentionAxes: [3] });
    expect(() => layer.apply(stream(1, 2, 3, 4, 6))).toThrow(
      'attention: attentionAxes must be among 1, 2 for inputs of 4 axes, got [3]',
    );
  });

  it('masks over several axes', () => {
    const layer = multiHeadAttention({ numHeads: 2, keyDim: 3, name: 'attention' });
    expect(() => layer.apply(stream(1, 2, 3, 4, 6), { useCausalMask: true })).toThrow(
      'attention: masks take inputs of three axes',
    );
  });

  it('a backend without a kernel, by its name', async () => {
    registerBackend('lacking', () => engine().findBackend('cpu'));
    copyRegisteredKernels('cpu', 'lacking');
    unregisterKernel('Softmax', 'lacking');
    unregisterKernel('PadV2', 'lacking');
    const layer = multiHeadAttention({ numHeads: 2, keyDim: 3, name: 'attention' });
    const input = x();
    await setBackend('lacking');
    expect(() => layer.apply(input)).toThrow(
      "attention: the backend 'lacking' lacks Softmax for inference; choose another with tf.setBackend",
    );
    const needed = "'lacking' lacks Softmax, PadV2 for training";
    expect(() => layer.apply(input, { training: true })).toThrow(needed);
    // A gradient needs as much, whether the call says so or not.
    expect(() => grad((values: Tensor) => sum(layer.apply(values) as Tensor))(input)).toThrow(needed);
  });
});

describe('registration', () => {
  it('fills a gap in tfjs, and happens once', () => {
    registerLayers();
    const { classNameMap } = serialization.SerializationMap.getMap();
    const before = { ...classNameMap };
    expect(before.MultiHeadAttention?.[0]).toBe(MultiHeadAttention);
    expect(before.MultiHeadEmbeddingAttention?.[0]).toBe(MultiHeadEmbeddingAttention);
    registerLayers();
    expect(classNameMap).toEqual(before);
  });
});
