/** One calibration input: a text, or what else the model reads. */
export type CalibrationInput = string | CalibrationSample;

/** What a model is given in one run, before its tokenizer and processor. A model of texts and images takes both. */
export interface CalibrationSample {
  readonly text?: string;
  /** Path or address of an image, or a `RawImage` of the library. */
  readonly image?: string | URL | CalibrationImage;
  /** Samples of a sound, at the rate that the model's processor expects. */
  readonly audio?: Float32Array;
}

/** An image in memory, as the library's `RawImage` holds it. */
export interface CalibrationImage {
  readonly data: Uint8Array | Uint8ClampedArray;
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 2 | 3 | 4;
}

/** The kinds of thing that models read. */
export type Modality = keyof CalibrationSample;

/** A plain string is a text. */
export function calibrationSample(input: CalibrationInput): CalibrationSample {
  return typeof input === 'string' ? { text: input } : input;
}
