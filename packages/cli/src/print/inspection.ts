import type { AttentionSite, Inspection, SkippedSite } from '@mhe/core';
import type { InspectedPart } from '../format/format.js';
import type { Colors } from '../terminal.js';
import { formatCount } from './numbers.js';
import { formatTable, number, text } from './table.js';

const columns = [
  number('#'),
  text('name'),
  text('kind'),
  number('heads'),
  number('head size'),
  number('width'),
  number('scale'),
  text('mask'),
  text('position'),
  number('parameters'),
];

/** What a model has in all, where that is known, its sites as a table, then what is left alone. */
export function formatInspection(
  path: string,
  { attention, skipped }: Pick<Inspection, 'attention' | 'skipped'>,
  colors: Colors,
  size?: InspectedPart['size'],
): string {
  const found = `${path}: ${attention.length} attention ${attention.length === 1 ? 'block' : 'blocks'}`;
  const parts = [colors.bold(skipped.length > 0 ? `${found}, ${skipped.length} skipped` : found)];
  if (size) parts.push(formatSize(size));
  if (attention.length > 0) parts.push(formatTable(columns, attention.map(siteRow), colors.dim));
  if (skipped.length > 0) parts.push(formatSkipped(skipped, colors));
  return parts.join('\n\n');
}

function formatSize({ parameters, cachePerToken }: NonNullable<InspectedPart['size']>): string {
  const cache = cachePerToken > 0 ? `, ${formatCount(cachePerToken)} numbers cached per token` : '';
  return `${formatCount(parameters)} parameters in all${cache}`;
}

/** What is left alone, with the reasons and the nodes that they speak of. */
export function formatSkipped(skipped: readonly SkippedSite[], colors: Colors): string {
  const lines = skipped.map(({ name, reason, nodes }) => {
    const where = nodes.length > 0 ? colors.dim(` (${nodes.join(', ')})`) : '';
    return `  ${name}: ${reason}${where}`;
  });
  return [colors.bold('Skipped'), ...lines].join('\n');
}

function siteRow(site: AttentionSite): string[] {
  const { dims } = site;
  return [
    String(site.index),
    site.name,
    site.kind,
    String(site.numHeads),
    distinct([site.headDim, site.valueHeadDim]),
    distinct([dims.query, dims.key, dims.value, dims.output]),
    String(Number(site.scale.toPrecision(6))),
    site.mask.join(', ') || 'none',
    site.position,
    formatCount(site.parameters.total),
  ];
}

/** One number where all are equal, else all of them: `64` or `64/128`. */
function distinct(sizes: readonly number[]): string {
  return new Set(sizes).size === 1 ? String(sizes[0]) : sizes.join('/');
}
