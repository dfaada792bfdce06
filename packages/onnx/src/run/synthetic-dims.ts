import { quoted } from '../file/onnx-file-error.js';
import type { ImageShape } from './image-shape.js';
import type { DeclaredDim, ModelInput } from './model-inputs.js';

/** 256 MiB of float32: more than any input worth making up. */
const MAX_ELEMENTS = 2 ** 26;

/**
 * Chooses the dimensions of made-up inputs. What is declared is kept; the batch is 1; images (rank 4, floats or bytes,
 * channels open or 1, 3 or 4) have the shape that the graph is made for; every other open dimension has the length
 * asked for. A name gets one size wherever it stands.
 *
 * @param inputs - the model's inputs.
 * @param length - of sequences and other open dimensions.
 * @param imageShape - tells the shape of the images that an input takes.
 * @param empty - axes of inputs that get no element: the positions of caches. Default none.
 * @returns the dimensions of each input, in the same order.
 * @throws Error where the number of axes is unknown, or an input would be empty or enormous.
 */
export function syntheticDims(
  inputs: readonly ModelInput[],
  length: number,
  imageShape: (input: string) => ImageShape,
  empty: ReadonlyMap<string, number> = new Map(),
): number[][] {
  const isEmpty = ({ input, axis }: Place) => empty.get(input.name) === axis;
  const openSize = (name: string, places: readonly Place[]) => sizeOf(name, places, length, imageShape);
  const occurrences = new Map<string, Place[]>();
  for (const input of inputs) {
    input.dims?.forEach((dim, axis) => {
      if (typeof dim === 'string') occurrences.set(dim, [...(occurrences.get(dim) ?? []), { input, axis }]);
    });
  }
  const named = new Map<string, number>();
  // Sums of other sizes come after these: `past_sequence_length + sequence_length`.
  const names = [...occurrences].sort(([a], [b]) => Number(a.includes(' + ')) - Number(b.includes(' + ')));
  for (const [name, places] of names) {
    const parts = name.split(' + ').map((part) => named.get(part));
    const sum = parts.reduce<number>((total, part) => total + (part ?? Number.NaN), 0);
    const size = places.some(isEmpty) ? 0 : openSize(name, places);
    named.set(name, parts.length > 1 && !Number.isNaN(sum) ? sum : size);
  }
  return inputs.map((input) => {
    if (input.dims === null) {
      throw new Error(
        `Input ${quoted(input.name)} declares no dimensions, so that none can be made up: give calibration data.`,
      );
    }
    const dims = input.dims.map((dim, axis) => {
      if (isEmpty({ input, axis })) return 0;
      if (typeof dim === 'number') return dim;
      return dim === null ? openSize('', [{ input, axis }]) : (named.get(dim) as number);
    });
    checkSize(
      input.name,
      dims.filter((_, axis) => !isEmpty({ input, axis })),
    );
    return dims;
  });
}

/** An axis of an input. */
interface Place {
  readonly input: ModelInput;
  readonly axis: number;
}

/** The size of an open dimension, from its name and the places where it stands. */
function sizeOf(
  name: string,
  places: readonly Place[],
  length: number,
  imageShape: (input: string) => ImageShape,
): number {
  if (/batch|^(b|n|bs)$/i.test(name)) return 1;
  if (/seq|len|token|word|time|frame/i.test(name)) return length;
  for (const place of places) {
    const role = imageRole(place);
    if (role !== null) return imageShape(place.input.name)[role];
  }
  const isBatch = places.every(({ axis }) => axis === 0) && places.some(({ input }) => (input.dims?.length ?? 0) > 1);
  return isBatch ? 1 : length;
}

function imageRole({ input, axis }: Place): 'size' | 'channels' | null {
  const dims = input.dims ?? [];
  if (dims.length !== 4 || axis === 0 || !/^float|^uint8$/.test(input.dtype) || /mask/i.test(input.name)) return null;
  const mayBeChannels = (dim: DeclaredDim | undefined) => dim === 1 || dim === 3 || dim === 4;
  const channelsLast = mayBeChannels(dims[3]) && !mayBeChannels(dims[1]);
  if (!channelsLast && typeof dims[1] === 'number' && !mayBeChannels(dims[1])) return null;
  return axis === (channelsLast ? 3 : 1) ? 'channels' : 'size';
}

function checkSize(name: string, dims: readonly number[]): void {
  const shape = `[${dims.join(', ')}]`;
  if (dims.includes(0)) {
    throw new Error(
      `Input ${quoted(name)} of ${shape} would be empty: give calibration data with the inputs it is used with.`,
    );
  }
  if (dims.reduce((product, dim) => product * dim, 1) > MAX_ELEMENTS) {
    throw new Error(`Input ${quoted(name)} of ${shape} is too large to make up: give calibration data.`);
  }
}
