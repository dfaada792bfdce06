import type { NestedValues, NumberArray } from '@mhe/core';

/** An array with its dimensions, row-major. */
export interface FeedTensor {
  readonly data: NumberArray;
  readonly dims: readonly number[];
}

/** One run of the model: what each of its inputs is given, by the input's name. */
export type Feed = Readonly<Record<string, NestedValues | FeedTensor>>;
