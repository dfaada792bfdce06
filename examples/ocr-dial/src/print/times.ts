import { printTable } from '@mhe/example-terminal/table';
import type { Timing } from '../timing.js';

/** What was timed in one runtime: the original first. */
export interface RuntimeTimings {
  readonly name: string;
  readonly timings: readonly Timing[];
}

/** Time per line of models, the original first, in every runtime. */
export function printTimes(names: readonly string[], runtimes: readonly RuntimeTimings[]): void {
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

/** Whether the runtimes read the same. */
export function printAgreement([first, second]: readonly [RuntimeTimings, RuntimeTimings]): void {
  const pairs = first.timings.flatMap(({ texts }, model) =>
    texts.map((text, line) => ({ text, other: second.timings[model]?.texts[line] })),
  );
  const same = pairs.filter(({ text, other }) => text === other).length;
  console.log(
    `ONNX Runtime ${second.name} reads ${same} of these ${pairs.length} lines letter for letter as ONNX Runtime ${first.name}.`,
  );
  for (const { text, other } of pairs)
    if (text !== other) console.log(`  ${first.name}: ${text}\n  ${second.name}: ${other}`);
}
