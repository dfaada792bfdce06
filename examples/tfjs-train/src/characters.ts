import type { SeededRandom } from '@mhe/core';
import { concat, eye, oneHot, reshape, type Tensor3D, tensor2d, tidy, tile } from '@tensorflow/tfjs-core';
import { sizes } from './sizes.js';
import { text } from './text.js';

/** The characters of the text; a character's number is its place. */
export const alphabet = [...new Set(text)].sort();

/** Numbers that stand for a character and its place: both one-hot, one after the other. */
export const features = alphabet.length + sizes.context;

const numbers = numbersOf(text);

/** The characters of a text as numbers. */
export function numbersOf(characters: string): number[] {
  return [...characters].map((character) => alphabet.indexOf(character));
}

/** What a step learns from. */
export interface Batch {
  /** `[batch, context, features]`. */
  readonly input: Tensor3D;
  /** The characters that follow, one-hot, `[batch, context, alphabet]`. */
  readonly target: Tensor3D;
}

/** Pieces of the text from random places. */
export function drawBatch(random: SeededRandom): Batch {
  const { batch, context } = sizes;
  const starts = Array.from({ length: batch }, () => random.integer(numbers.length - context));
  const pieces = (shift: number) => starts.map((start) => numbers.slice(start + shift, start + shift + context));
  return { input: encode(pieces(0)), target: tidy(() => oneHotCharacters(pieces(1))) };
}

/** Pieces of text of one length as a model takes them, `[pieces, length, features]`. */
export function encode(pieces: readonly (readonly number[])[]): Tensor3D {
  return tidy(() => {
    const characters = oneHotCharacters(pieces);
    const [count, length] = characters.shape;
    const places = reshape(eye(length, sizes.context), [1, length, sizes.context]);
    return concat([characters, tile(places, [count, 1, 1])], 2) as Tensor3D;
  });
}

function oneHotCharacters(pieces: readonly (readonly number[])[]): Tensor3D {
  const length = pieces[0]?.length ?? 0;
  return oneHot(tensor2d(pieces.flat(), [pieces.length, length], 'int32'), alphabet.length) as Tensor3D;
}
