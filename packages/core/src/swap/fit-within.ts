import type { MheFit } from '../fit/fit-mhe.js';
import type { SiteGroups } from './site-groups.js';

/** A fit and the groups that it took. */
export interface FitWithin {
  readonly fit: MheFit;
  readonly groups: SiteGroups;
}

/**
 * Fits with the fewest groups from those asked for, up to the site's own, that leave out no more than a share of the energy.
 * Each dial is its own: the fit of queries and keys does not depend on that of values. Takes for granted that more groups
 * leave out no more.
 *
 * @param own - the site's own groups, which leave out nothing.
 * @param fit - fits with some groups; what a dial at the site's own costs is nothing.
 */
export async function fitWithin(
  asked: SiteGroups,
  own: SiteGroups,
  maxError: number,
  fit: (groups: SiteGroups) => Promise<MheFit>,
): Promise<FitWithin> {
  const first = await fit(asked);
  const [queryKeyHolds, valueHolds] = [first.queryKeyError.overall <= maxError, first.valueError.overall <= maxError];
  if (queryKeyHolds && valueHolds) return { fit: first, groups: asked };
  const queryKey = queryKeyHolds
    ? asked.queryKey
    : await fewest(asked.queryKey, own.queryKey, async (count) => {
        const { queryKeyError } = await fit({ queryKey: count, value: own.value });
        return queryKeyError.overall <= maxError;
      });
  const value = valueHolds
    ? asked.value
    : await fewest(asked.value, own.value, async (count) => {
        const { valueError } = await fit({ queryKey: own.queryKey, value: count });
        return valueError.overall <= maxError;
      });
  const groups = { queryKey, value };
  return { fit: await fit(groups), groups };
}

/** By bisection between a count that does not hold and one that does. */
async function fewest(fails: number, holds: number, test: (count: number) => Promise<boolean>): Promise<number> {
  let [low, high] = [fails, holds];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (await test(middle)) high = middle;
    else low = middle;
  }
  return high;
}
