import { seededRandom } from '@mhe/core';
import { div, reshape, slice, softmax, type Tensor, tidy } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { alphabet, encode, numbersOf } from './characters.js';
import { sizes } from './sizes.js';

/** How every piece begins, and how many characters follow. */
const beginning = 'When ';
const length = 60;

/** Below 1, likely characters become likelier. */
const temperature = 0.6;

/** Lets a model write, drawing each character from what it finds likely. */
export async function writeOn(model: LayersModel, seed: number): Promise<string> {
  const random = seededRandom(seed);
  const written = numbersOf(beginning);
  for (let i = 0; i < length; i++) {
    const seen = written.slice(-sizes.context);
    const likely = tidy(() => {
      const logits = model.predict(encode([seen])) as Tensor;
      return softmax(div(reshape(slice(logits, [0, seen.length - 1, 0], [1, 1, -1]), [-1]), temperature));
    });
    const probabilities = await likely.data();
    likely.dispose();
    written.push(draw(probabilities, random.uniform()));
  }
  return written.map((number) => alphabet[number]).join('');
}

/** The place where the sum of the probabilities passes a number from 0 to 1. */
function draw(probabilities: ArrayLike<number>, at: number): number {
  let sum = 0;
  for (let place = 0; place < probabilities.length; place++) {
    sum += probabilities[place] ?? 0;
    if (sum > at) return place;
  }
  return probabilities.length - 1;
}
