import type { SwappedSite } from './report.js';
import type { SwapTask } from './swap-sites.js';

/**
 * Positions a dimension from which on a fit carries over to other inputs, as the swaps of all-MiniLM-L6-v2 on 50 to 1,000
 * sentences show (benchmarks, `pnpm transformers --sequences N`), and those of a recogniser on 1 to 100 lines (ocr-dial).
 */
const ENOUGH = 3;

/** Says that inputs that were given are so few that what a report shows of them is better than what holds for others. */
export function fewPositions(swapped: readonly SwappedSite[], { calibration }: SwapTask, positions: number): string[] {
  if (calibration.kind !== 'given') return [];
  const widths = swapped
    .filter((swap) => !keepsGroups(swap))
    .map(({ site: { dims, numHeads, valueHeadDim } }) => Math.max(dims.query, dims.key, numHeads * valueHeadDim));
  const width = Math.max(0, ...widths);
  if (positions >= ENOUGH * width) return [];
  return [
    `the calibration inputs have ${positions} positions, few for a block ${width} wide: other inputs lose more than the ` +
      `figures here show; give about ${ENOUGH * width} positions or more`,
  ];
}

/** Whether a site has the groups that it had, so that nothing was fitted. */
export function keepsGroups({ site, groups }: Pick<SwappedSite, 'site' | 'groups'>): boolean {
  return groups.queryKey === site.groups.queryKey && groups.value === site.groups.value;
}
