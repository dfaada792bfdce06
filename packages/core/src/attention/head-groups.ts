import type { LayerGroups } from './weights.js';

/** How many groups these group numbers, counted from 0, name. */
export function groupCount(groups: readonly number[]): number {
  return Math.max(...groups) + 1;
}

/** The heads of each group, in order: `[1, 0, 1]` gives `[[1], [0, 2]]`. */
export function headsByGroup(groups: readonly number[]): number[][] {
  const heads: number[][] = Array.from({ length: groupCount(groups) }, () => []);
  groups.forEach((group, head) => {
    heads[group]?.push(head);
  });
  return heads;
}

/** Whether these are 0, 1, 2 and so on: every head its own group, in order. */
export function isIdentity(groups: readonly number[]): boolean {
  return groups.every((group, head) => group === head);
}

/** The group of each head's query projection. */
export function queryGroups({ query, queryKey }: LayerGroups): readonly number[] {
  return query ?? queryKey;
}
