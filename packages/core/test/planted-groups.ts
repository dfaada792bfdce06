/** A site as a fixture knows it: the group of each head, where heads really share. */
interface PlantedSite {
  readonly planted: { readonly queryKey: readonly number[]; readonly value: readonly number[] } | null;
}

/** As many groups as the heads of a fixture really share in; 1 where none share. */
export function plantedGroups(sites: readonly PlantedSite[]): { readonly queryKey: number; readonly value: number } {
  const count = (dial: 'queryKey' | 'value') =>
    Math.max(0, ...sites.flatMap(({ planted }) => planted?.[dial] ?? [])) + 1;
  return { queryKey: count('queryKey'), value: count('value') };
}
