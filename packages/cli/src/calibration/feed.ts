/** Values nested as JSON nests them: `[[1, 2], [3, 4]]` has dimensions 2 and 2. */
export type NestedValues = number | boolean | string | readonly NestedValues[];

/** The number types that a calibration array may have. */
export type FeedArray =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;

/** An array with its dimensions, row-major. */
export interface FeedTensor {
  readonly data: FeedArray;
  readonly dims: readonly number[];
}

/** One run of the model: what each of its inputs is given, by the input's name. */
export type Feed = Readonly<Record<string, NestedValues | FeedTensor>>;
