import type { AttentionSite } from '../find/site.js';
import type { GroupCount, Groups } from './groups.js';

/** Group counts of one site. */
export interface SiteGroups {
  readonly queryKey: number;
  readonly value: number;
}

/**
 * How many groups a site gets.
 *
 * @throws RangeError for a count that is no whole number from 1 to the site's number of heads.
 */
export function siteGroups(groups: Groups, site: AttentionSite): SiteGroups {
  const { queryKey, value } = typeof groups === 'object' ? groups : { queryKey: groups, value: groups };
  return { queryKey: counted('queryKey', queryKey, site), value: counted('value', value, site) };
}

function counted(name: string, count: GroupCount, site: AttentionSite): number {
  if (count === 'heads') return site.numHeads;
  if (!Number.isSafeInteger(count) || count < 1) {
    throw new RangeError(`groups.${name}: ${count} is no number of groups; give a whole number from 1, or "heads"`);
  }
  if (count > site.numHeads) {
    throw new RangeError(
      `groups.${name}: ${count} is more than the ${site.numHeads} heads of ${site.name}; give at most ${site.numHeads}`,
    );
  }
  return count;
}
