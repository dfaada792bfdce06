import { type GroupCount, groupCount, type HeadGroups, neighbourGroups } from '@mhe/core';

/** How many shared projections there are of one kind, or the group of every head, counted from 0. */
export type LayerGroupCount = GroupCount | readonly number[];

/** The dials of a layer: both at once, or each of its own. */
export type LayerGroups = LayerGroupCount | { readonly queryKey: LayerGroupCount; readonly value: LayerGroupCount };

/**
 * The group of every head; a number of groups takes neighbouring heads together.
 *
 * @throws Error when there are more groups than heads, or not a group for each head.
 */
export function headGroups(layer: string, groups: LayerGroups, numHeads: number): HeadGroups {
  const isBoth = typeof groups !== 'object' || Array.isArray(groups);
  const { queryKey, value } = isBoth
    ? { queryKey: groups as LayerGroupCount, value: groups as LayerGroupCount }
    : (groups as Exclude<LayerGroups, LayerGroupCount>);
  return { queryKey: assign(layer, queryKey, numHeads), value: assign(layer, value, numHeads) };
}

function assign(layer: string, groups: LayerGroupCount, numHeads: number): number[] {
  if (groups === 'heads') return Array.from({ length: numHeads }, (_, head) => head);
  if (typeof groups === 'number') {
    if (!Number.isInteger(groups) || groups < 1 || groups > numHeads) {
      throw new Error(`${layer}: groups must be a whole number from 1 to ${numHeads} or 'heads', got ${groups}`);
    }
    return neighbourGroups(numHeads, groups);
  }
  const used = new Set(groups);
  const gapless = Array.from({ length: groupCount(groups) }, (_, group) => used.has(group)).every(Boolean);
  if (groups.length !== numHeads || !gapless) {
    throw new Error(
      `${layer}: groups must be a group for each of ${numHeads} heads, counted from 0, got [${groups.join(', ')}]`,
    );
  }
  return [...groups];
}
