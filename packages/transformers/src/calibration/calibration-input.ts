/** One calibration input: a text, a text and what is to be made of it, or what else the model reads. */
export type CalibrationInput = string | CalibrationPair | CalibrationSample;

/** What a model of an encoder and a decoder reads, and what it is to write: a text and its translation or summary. */
export interface CalibrationPair {
  readonly source: string;
  readonly target: string;
}

/** What a model is given in one run, before its tokenizer and processor. A model of texts and images takes both. */
export interface CalibrationSample {
  readonly text?: string;
  /** Path or address of an image, or a `RawImage` of the library. */
  readonly image?: string | URL | CalibrationImage;
  /** Samples of a sound, at the rate that the model's processor expects. */
  readonly audio?: Float32Array;
  /** What a decoder is to write that reads an encoder's output: a caption, a transcript. Default: `text`. */
  readonly target?: string;
}

/** An image in memory, as the library's `RawImage` holds it. */
export interface CalibrationImage {
  readonly data: Uint8Array | Uint8ClampedArray;
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 2 | 3 | 4;
}

/** The kinds of thing that models read. */
export type Modality = Exclude<keyof CalibrationSample, 'target'>;

/**
 * A plain string is a text, and so is the source of a pair.
 *
 * @param at - its number among the inputs, from 0.
 * @throws RangeError where it is none of these, or half a pair.
 */
export function calibrationSample(input: CalibrationInput, at: number): CalibrationSample {
  if (typeof input === 'string') return { text: input };
  const where = `calibration input ${at + 1}`;
  if (typeof input !== 'object' || input === null) {
    throw new RangeError(`${where}: it is ${String(input)}; give a text, { source, target } or { text, image, audio }`);
  }
  if (!('source' in input)) return input;
  const { source, target } = input;
  if (typeof source !== 'string' || typeof target !== 'string') {
    throw new RangeError(`${where}: source and target are a text each; give a plain text where there is no target`);
  }
  return { text: source, target };
}
