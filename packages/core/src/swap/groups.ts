/**
 * How many shared projections a swapped layer keeps: a number, or `'heads'` for one per head (the original's
 * number; with zero embeddings that is the original layer itself).
 */
export type GroupCount = number | 'heads';

/** Both dials at once, or each of its own. `1` is the paper's MHE. */
export type Groups = GroupCount | { readonly queryKey: GroupCount; readonly value: GroupCount };
