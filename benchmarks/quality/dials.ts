import type { Embedding } from '@mhe/core';

/** A setting of the swap: groups of queries and keys, groups of values, and how heads differ. */
export interface Dial {
  readonly queryKey: number;
  readonly value: number;
  readonly embedding: Embedding;
  /** Share of the original's score that it has to keep, in percent. */
  readonly required?: number;
}

/** From the original's own groups to one of each. */
export const dials: readonly Dial[] = [
  { queryKey: 4, value: 4, embedding: 'mul' },
  { queryKey: 2, value: 4, embedding: 'mul' },
  { queryKey: 1, value: 4, embedding: 'mul', required: 98 },
  { queryKey: 2, value: 2, embedding: 'mul' },
  { queryKey: 1, value: 2, embedding: 'mul', required: 95.5 },
  { queryKey: 4, value: 1, embedding: 'mul' },
  { queryKey: 1, value: 1, embedding: 'mul', required: 91 },
  { queryKey: 1, value: 1, embedding: 'add' },
];

/** `1 / 4 MUL` */
export function nameOf({ queryKey, value, embedding }: Dial): string {
  return `${queryKey} / ${value} ${embedding.toUpperCase()}`;
}
