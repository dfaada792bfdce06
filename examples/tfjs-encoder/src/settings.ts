import type { Embedding } from '@mhe/core';

/** One position of the dials: shared projections of queries and keys, and of values; the encoder has 4 heads. */
export interface Setting {
  readonly queryKey: number;
  readonly value: number;
  readonly embedding: Embedding;
}

/** From the mildest swap to the paper's attention. */
export const SETTINGS: readonly Setting[] = [
  { queryKey: 1, value: 4, embedding: 'mul' },
  { queryKey: 1, value: 1, embedding: 'mul' },
];

/** `MUL 1 / 4` */
export function settingName({ queryKey, value, embedding }: Setting): string {
  return `${embedding.toUpperCase()} ${queryKey} / ${value}`;
}
