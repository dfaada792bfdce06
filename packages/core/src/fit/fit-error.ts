/** How much a fit leaves out, as shares of energy: the squared size of what the heads compute. 0 is exact, 1 is all. */
export interface FitError {
  readonly overall: number;
  /** In the order of the groups; 0 for groups of one head, which are copied. */
  readonly perGroup: readonly number[];
}

/**
 * From groups to all heads.
 *
 * @param energies - of each head; only asked for where a group left something out.
 */
export function combineErrors(
  perGroup: readonly number[],
  groups: readonly number[],
  energies: () => Float64Array,
): FitError {
  if (perGroup.every((error) => error === 0)) return { overall: 0, perGroup };
  let lost = 0;
  let all = 0;
  energies().forEach((energy, head) => {
    lost += energy * (perGroup[groups[head] as number] as number);
    all += energy;
  });
  return { overall: lost / all, perGroup };
}
