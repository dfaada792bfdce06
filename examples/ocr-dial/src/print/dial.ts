import type { AttentionSite } from '@mhe/core';
import { count, megabytes, percent } from '@mhe/example-terminal/figures';
import { printTable } from '@mhe/example-terminal/table';
import { characterError } from '../character-error.js';
import type { Reading } from '../reading.js';
import type { Variant } from '../variant.js';

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

/** The dial: quality and size of every setting. */
export function printDial(
  truth: readonly string[],
  original: Reading & { readonly file: Uint8Array; readonly sites: readonly AttentionSite[] },
  variants: readonly (Variant & Reading)[],
): void {
  const row = ({ name, texts }: Reading, parameters: number, file: Uint8Array, identity: string) => [
    name,
    percent(1 - characterError(texts, original.texts)),
    percent(characterError(texts, truth)),
    count(parameters),
    megabytes(file.byteLength),
    identity,
  ];
  printTable(
    `Turning the dials (query-key / value projections for 8 heads), on ${truth.length} lines that no fit has seen`,
    ['model', 'as the original', 'character error', 'attention parameters', 'file', 'identity check'],
    [
      row(original, sum(original.sites.map((site) => site.parameters.total)), original.file, ''),
      ...variants.map((variant) => {
        const { swapped } = variant.report;
        const identity = Math.max(...swapped.map((site) => site.identityError));
        const parameters = sum(swapped.map((site) => site.parameters.after));
        return row(variant, parameters, variant.file, identity.toExponential(1));
      }),
    ],
  );
}
