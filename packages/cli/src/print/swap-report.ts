import type { BeforeAfter, OutputDifference, SwappedSite, SwapReport } from '@mhe/core';
import type { SwappedPart, WrittenFiles } from '../format/format.js';
import type { Colors } from '../terminal.js';
import { formatSkipped } from './inspection.js';
import { formatBytes, formatChange, formatCount, formatDifference, formatOperations, formatShare } from './numbers.js';
import { formatTable, number, text } from './table.js';

/** The report of a swap for people: what it gained, what it cost, and what it does not tell. */
export function formatSwap(
  input: string,
  output: WrittenFiles | null,
  parts: readonly SwappedPart[],
  colors: Colors,
): string {
  const heading = colors.bold(output === null ? `${input}: nothing swapped` : `${input} -> ${formatFiles(output)}`);
  const reports = parts.flatMap(({ file, report }) => [
    ...(file === null ? [] : [colors.bold(`${file}: ${blocks(report.swapped.length)} swapped`)]),
    ...formatReport(report, colors),
  ]);
  const swapped = parts.map(({ report }) => report).filter(({ swapped }) => swapped.length > 0);
  const [first] = swapped;
  return [heading, ...reports, ...(first ? formatCautions(first, colors) : [])].join('\n\n');
}

function formatReport(report: SwapReport, colors: Colors): string[] {
  const { swapped, skipped, notices } = report;
  return [
    ...(swapped.length > 0
      ? [formatTotals(report, colors), formatSites(swapped, colors), formatOutputs(report, colors)]
      : []),
    ...(skipped.length > 0 ? [formatSkipped(skipped, colors)] : []),
    ...(notices.length > 0 ? [[colors.bold('Notices'), ...notices.map((notice) => `  ${notice}`)].join('\n')] : []),
  ];
}

function formatFiles({ folder, files, byteLength }: WrittenFiles): string {
  if (folder !== null) return `${folder} (${formatBytes(byteLength)})`;
  const [first, ...rest] = files;
  const others = rest.length > 1 ? [`${rest.length} files of weights`] : rest;
  return `${[first, ...others].join(' + ')} (${formatBytes(byteLength)})`;
}

function formatTotals({ parameters, bytes, multiplyAdds, cachePerToken, swapped }: SwapReport, colors: Colors): string {
  const row = (label: string, figures: BeforeAfter, format: (value: number) => string) => [
    label,
    format(figures.before),
    format(figures.after),
    formatChange(figures),
  ];
  return formatTable(
    [text(''), number('before'), number('after'), number('change')],
    [
      row('parameters of the model', parameters, formatCount),
      row('bytes of its weights', bytes, formatBytes),
      row(
        `multiply-adds of ${blocks(swapped.length)}, ${multiplyAdds.sequenceLength} tokens`,
        multiplyAdds,
        formatOperations,
      ),
      ...(cachePerToken.before > 0 ? [row('numbers cached per token', cachePerToken, formatCount)] : []),
    ],
    colors.dim,
  );
}

function formatSites(swapped: readonly SwappedSite[], colors: Colors): string {
  const table = formatTable(
    [
      number('#'),
      text('name'),
      number('heads'),
      number('groups q,k / v'),
      text('form'),
      number('parameters'),
      number('identity'),
      number('scores lost'),
      number('values lost'),
      number('output error'),
    ],
    swapped.map(({ site, groups, embedding, form, parameters, identityError, fitError, outputError }) => [
      String(site.index),
      site.name,
      String(site.numHeads),
      `${groups.queryKey} / ${groups.value}`,
      `${embedding} ${form}`,
      formatChange(parameters),
      formatDifference(identityError),
      formatShare(fitError.queryKey),
      formatShare(fitError.value),
      formatShare(outputError),
    ]),
    colors.dim,
  );
  return `${table}\n\n${formatReasons(swapped)}`;
}

/** Why each form was taken; a reason that several sites share is told once. */
function formatReasons(swapped: readonly SwappedSite[]): string {
  const sites = new Map<string, number[]>();
  for (const { site, form, formReason } of swapped) {
    const line = `${form}: ${formReason}`;
    sites.set(line, [...(sites.get(line) ?? []), site.index]);
  }
  if (sites.size === 1) return [...sites.keys()].join();
  return [...sites].map(([line, indices]) => `#${indices.join(', #')} ${line}`).join('\n');
}

function formatOutputs({ outputs, calibration }: SwapReport, colors: Colors): string {
  const { kind, sequences, tokens } = calibration;
  const source = kind === 'given' ? 'calibration' : 'MADE-UP';
  const heading = `Outputs against the original's, on ${formatCount(sequences)} ${source} sequences (${formatCount(tokens)} positions)`;
  const table = formatTable(
    [text('output'), number('relative difference'), number('largest difference'), number('mean cosine')],
    outputs.map(({ name, relative, maxAbsolute, cosine }: OutputDifference) => [
      name,
      formatShare(relative),
      formatDifference(maxAbsolute),
      cosine.toFixed(4),
    ]),
    colors.dim,
  );
  return `${colors.bold(heading)}\n${table}`;
}

/** What the figures above do not say. */
function formatCautions({ calibration }: SwapReport, colors: Colors): string[] {
  const quality =
    'No quality was measured on a task. Before use, score both models on held-out data of your task; the outputs above ' +
    'only show how far the swapped model moved from the original.';
  if (calibration.kind === 'given') return [colors.yellow(quality)];
  return [
    colors.red(
      colors.bold(
        'The fit saw MADE-UP data. Fit on real inputs: mhe swap ... --calibration feeds.jsonl, or --data texts.txt for transformers.js',
      ),
    ),
    colors.yellow(quality),
  ];
}

function blocks(count: number): string {
  return count === 1 ? '1 block' : `${count} blocks`;
}
