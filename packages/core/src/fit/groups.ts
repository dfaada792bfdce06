import { groupCount } from '../attention/head-groups.js';
import type { GroupCount } from '../swap/groups.js';

/**
 * Which heads share: a number of groups, for the fit to choose their heads; `'heads'` for none; or the group of each head,
 * counted from 0.
 */
export type HeadSharing = GroupCount | readonly number[];

/** Both dials at once, or each of its own. */
export type FitGroups = GroupCount | { readonly queryKey: HeadSharing; readonly value: HeadSharing };

/**
 * The group of each head.
 *
 * @param choose - finds the groups where only their number is given.
 * @throws RangeError when `sharing` does not suit the number of heads.
 */
export function resolveGroups(
  dial: string,
  sharing: HeadSharing,
  numHeads: number,
  choose: (count: number) => readonly number[],
): readonly number[] {
  if (typeof sharing === 'object') {
    const complete = sharing.length === numHeads && new Set(sharing).size === groupCount(sharing);
    if (complete && sharing.every((group) => Number.isInteger(group) && group >= 0)) return sharing;
    throw new RangeError(
      `groups: ${dial} must give each of ${numHeads} heads a group, counted from 0 without gaps; got [${sharing.join(', ')}]`,
    );
  }
  const count = sharing === 'heads' ? numHeads : sharing;
  if (!Number.isInteger(count) || count < 1 || count > numHeads) {
    throw new RangeError(`groups: ${dial} must be 'heads' or a whole number from 1 to ${numHeads}; got ${count}`);
  }
  if (count === numHeads) return Array.from({ length: numHeads }, (_, head) => head);
  return count === 1 ? new Array<number>(numHeads).fill(0) : choose(count);
}
