import type { AttentionSite, Inspection } from '@mhe/core';
import { characterError } from './character-error.js';
import { printTable } from './table.js';
import type { Timing } from './timing.js';
import type { Variant } from './variant.js';

/** A model's name and what it read. */
export interface Reading {
  readonly name: string;
  readonly texts: readonly string[];
}

const count = (value: number) => value.toLocaleString('en-US');
const percent = (share: number) => `${(100 * share).toFixed(2)} %`;
const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(2)} MB`;

export function printSites({ attention, skipped }: Inspection): void {
  printTable(
    'Attention found',
    ['softmax node', 'kind', 'heads', 'head size', 'width', 'scale', 'mask', 'nodes', 'parameters'],
    attention.map((site) => [
      site.name,
      site.kind,
      String(site.numHeads),
      String(site.headDim),
      String(site.dims.query),
      site.scale.toFixed(4),
      site.mask.join(', '),
      String(new Set(Object.values(site.nodes).flat()).size),
      count(site.parameters.total),
    ]),
  );
  for (const { name, reason } of skipped) console.log(`Left alone: ${name}: ${reason}`);
}

/** Lines of text beside what several models read. */
export function printReadings(
  title: string,
  lines: readonly number[],
  truth: Reading,
  readings: readonly Reading[],
): void {
  const columns = [truth, ...readings];
  printTable(
    title,
    columns.map(({ name }) => name),
    lines.map((line) => columns.map(({ texts }) => texts[line] ?? '')),
    'text',
  );
}

/** The dial: quality and size of every setting. */
export function printDial(
  truth: readonly string[],
  original: { readonly texts: readonly string[]; readonly file: Uint8Array; readonly sites: readonly AttentionSite[] },
  variants: readonly (Variant & { readonly texts: readonly string[] })[],
): void {
  const row = (name: string, texts: readonly string[], parameters: number, file: Uint8Array, identity: string) => [
    name,
    percent(1 - characterError(texts, original.texts)),
    percent(characterError(texts, truth)),
    count(parameters),
    megabytes(file.byteLength),
    identity,
  ];
  printTable(
    `Turning the dials (${truth.length} lines that the fit has not seen; query-key / value projections, of 8 heads)`,
    ['model', 'read as by the original', 'character error', 'attention parameters', 'file', 'identity check'],
    [
      row('original', original.texts, sum(original.sites.map((site) => site.parameters.total)), original.file, ''),
      ...variants.map(({ name, texts, file, report }) => {
        const parameters = sum(report.swapped.map((site) => site.parameters.after));
        const identity = Math.max(...report.swapped.map((site) => site.identityError));
        return row(name, texts, parameters, file, identity.toExponential(1));
      }),
    ],
  );
}

/** Time per line of models, the original first, in every runtime. */
export function printTimes(
  names: readonly string[],
  runtimes: readonly { readonly name: string; readonly timings: readonly Timing[] }[],
): void {
  printTable(
    'Time per line, one thread, medians of interleaved runs',
    ['model', ...runtimes.flatMap(({ name }) => [`${name}, ms`, 'original / this'])],
    names.map((name, model) => [
      name,
      ...runtimes.flatMap(({ timings }) => {
        const original = timings[0]?.milliseconds ?? Number.NaN;
        const own = timings[model]?.milliseconds ?? Number.NaN;
        return [own.toFixed(1), (original / own).toFixed(2)];
      }),
    ]),
  );
}
