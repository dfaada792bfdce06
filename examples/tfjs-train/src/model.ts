import { seededRandom } from '@mhe/core';
import { multiHeadAttention, multiHeadEmbeddingAttention } from '@mhe/tfjs';
import { losses, type Tensor, type Tensor3D, tensor, train } from '@tensorflow/tfjs-core';
import { input, type LayersModel, layers, model, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { alphabet, features } from './characters.js';
import { Normalise } from './normalise.js';
import { type Kind, sizes } from './sizes.js';

/**
 * A transformer that guesses the next character, `[batch, length, features]` to `[batch, length, alphabet]`: the same
 * for all kinds but for its attention.
 */
export function characterModel(kind: Kind, seed: number): LayersModel {
  const { modelDim, hiddenDim, numLayers, learningRate } = sizes;
  const start = input({ shape: [null, features] });
  let stream = through(start, layers.dense({ units: modelDim }));
  for (let layer = 0; layer < numLayers; layer++) {
    stream = sum(stream, attend(kind, through(stream, new Normalise())));
    const hidden = through(stream, new Normalise(), layers.dense({ units: hiddenDim, activation: 'relu' }));
    stream = sum(stream, through(hidden, layers.dense({ units: modelDim })));
  }
  const logits = through(stream, new Normalise(), layers.dense({ units: alphabet.length }));
  const built = model({ inputs: start, outputs: logits });
  drawKernels(built, seed);
  built.compile({ optimizer: train.adam(learningRate), loss: crossEntropy });
  return built;
}

/** Causal self-attention of each kind: this is all that changes from model to model. */
function attend(kind: Kind, stream: SymbolicTensor): SymbolicTensor {
  const { numHeads, headDim } = sizes;
  if (kind === 'mha') {
    const layer = multiHeadAttention({ numHeads, keyDim: headDim });
    return layer.apply(stream, { useCausalMask: true }) as SymbolicTensor;
  }
  const embedding = kind === 'mhe-add' ? 'add' : 'mul';
  const layer = multiHeadEmbeddingAttention({ numHeads, headDim, embedding, causal: true });
  return layer.apply(stream) as SymbolicTensor;
}

/**
 * Draws the kernels anew, each from a seed of its own: what the models share starts alike in all of them. (With one
 * seeded initialiser for a layer, tfjs would give its queries, keys and values the same numbers.)
 */
function drawKernels(built: LayersModel, seed: number): void {
  const kernels = built.trainableWeights.filter(({ name }) => name.includes('kernel'));
  for (const [place, kernel] of kernels.entries()) {
    const random = seededRandom(1000 * seed + place);
    const shape = kernel.shape as number[];
    const size = shape.reduce((product, dim) => product * dim, 1);
    // Of [inputs, ...outputs] in a projection to heads, of [...inputs, outputs] elsewhere.
    const inputs = /query|key|value/.test(kernel.name) ? (shape[0] ?? 1) : size / (shape.at(-1) ?? 1);
    const values = Float32Array.from({ length: size }, () => random.normal() / Math.sqrt(inputs));
    const drawn = tensor(values, shape);
    kernel.write(drawn);
    drawn.dispose();
  }
}

/** Nats a character. */
function crossEntropy(target: Tensor, logits: Tensor): Tensor {
  return losses.softmaxCrossEntropy(target as Tensor3D, logits as Tensor3D);
}

function through(stream: SymbolicTensor, ...steps: readonly { apply(x: SymbolicTensor): unknown }[]): SymbolicTensor {
  return steps.reduce((x, step) => step.apply(x) as SymbolicTensor, stream);
}

function sum(a: SymbolicTensor, b: SymbolicTensor): SymbolicTensor {
  return layers.add().apply([a, b]) as SymbolicTensor;
}
