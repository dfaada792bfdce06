import type { Dial } from '../quality/dials.js';

/** From the mild settings to the paper's MHE, for a model of this many heads. */
export function dialsOf(numHeads: number): readonly Dial[] {
  const half = Math.ceil(numHeads / 2);
  return [
    { queryKey: 2, value: numHeads, embedding: 'mul' },
    { queryKey: 1, value: numHeads, embedding: 'mul' },
    { queryKey: 1, value: half, embedding: 'mul' },
    { queryKey: 1, value: 1, embedding: 'mul' },
    { queryKey: 1, value: numHeads, embedding: 'add' },
    { queryKey: 1, value: 1, embedding: 'add' },
  ];
}
