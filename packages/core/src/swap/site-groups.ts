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
 * @throws RangeError for a count that is no whole number from 1 to the site's number of heads, or of heads of keys or
 *   values where it has fewer of them.
 */
export function siteGroups(groups: Groups, site: AttentionSite): SiteGroups {
  const { queryKey, value } = typeof groups === 'object' ? groups : { queryKey: groups, value: groups };
  return { queryKey: counted('queryKey', queryKey, site), value: counted('value', value, site) };
}

function counted(name: 'queryKey' | 'value', count: GroupCount, site: AttentionSite): number {
  const own = site.groups[name];
  if (count === 'heads') return own;
  if (!Number.isSafeInteger(count) || count < 1) {
    throw new RangeError(`groups.${name}: ${count} is no number of groups; give a whole number from 1, or "heads"`);
  }
  if (count > own && own < site.numHeads) {
    const part = name === 'value' ? 'values' : 'keys';
    throw new RangeError(
      `groups.${name}: ${count} is more than the ${own} heads of ${part} that ${site.name} has for its ${site.numHeads} heads; give at most ${own}`,
    );
  }
  if (count > own) {
    throw new RangeError(
      `groups.${name}: ${count} is more than the ${site.numHeads} heads of ${site.name}; give at most ${site.numHeads}`,
    );
  }
  return count;
}
