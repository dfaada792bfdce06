import { count, megabytes } from '@mhe/example-terminal/figures';
import { printTable } from '@mhe/example-terminal/table';
import type { SwapReport } from '@mhe/tfjs';
import type { Likeness } from './likeness.js';
import type { SentencePair } from './pairs.js';
import type { Variant } from './variant.js';

/** How alike each model finds the sentences of each pair. The first likeness is the original's. */
export function printPairs(
  pairs: readonly SentencePair[],
  variants: readonly Variant[],
  likenesses: readonly Likeness[],
): void {
  printTable(
    'How alike two sentences are (cosine of their embeddings)',
    ['sentences', 'original', ...variants.map(({ name }) => name)],
    pairs.map(([a, b], pair) => [
      `${a}\n${b}`,
      ...likenesses.map(({ cosines }) => (cosines[pair] ?? Number.NaN).toFixed(2)),
    ]),
  );
}

/** What each setting of the dials gains and costs. The first likeness is the original's. */
export function printDial(variants: readonly Variant[], likenesses: readonly Likeness[]): void {
  const [original, ...others] = likenesses;
  const [first] = variants;
  if (!original || !first) return;
  const row = (name: string, side: 'before' | 'after', { parameters, bytes }: SwapReport, likeness: Likeness) => [
    name,
    count(parameters[side]),
    megabytes(bytes[side]),
    likeness.likeFirst.toFixed(3),
    likeness.milliseconds.toFixed(2),
    (original.milliseconds / likeness.milliseconds).toFixed(2),
  ];
  printTable(
    'The dials: shared projections of queries and keys / of values; 4 / 4 is the model itself',
    ['model', 'parameters', 'weights', 'like the original', 'ms per sentence, wasm', 'original / this'],
    [
      row('original', 'before', first.report, original),
      ...variants.map((variant, i) => row(variant.name, 'after', variant.report, others[i] as Likeness)),
    ],
  );
}
