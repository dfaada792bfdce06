import type { AttentionSite, SkippedSite } from '../find/site.js';
import type { SiteSelection } from './options.js';

/**
 * The sites that a selection names, and the others with the reason.
 *
 * @throws RangeError for a number that no site has.
 */
export function selectSites(
  sites: readonly AttentionSite[],
  selection: SiteSelection,
): { readonly chosen: readonly AttentionSite[]; readonly others: readonly SkippedSite[] } {
  if (Array.isArray(selection)) {
    const unknown = (selection as readonly number[]).find((index) => !sites.some((site) => site.index === index));
    if (unknown !== undefined) {
      throw new RangeError(`sites: there is no site ${unknown}; the model has ${sites.length}, numbered from 0`);
    }
  }
  const isChosen = (site: AttentionSite): boolean => {
    if (selection === 'all') return true;
    if (selection instanceof RegExp)
      return new RegExp(selection.source, selection.flags.replace(/[gy]/g, '')).test(site.name);
    return typeof selection === 'function' ? selection(site) : selection.includes(site.index);
  };
  const chosen = sites.filter(isChosen);
  const others = sites.filter((site) => !chosen.includes(site));
  return { chosen, others: others.map(({ name }) => ({ name, reason: 'it was not chosen (sites)', nodes: [name] })) };
}
