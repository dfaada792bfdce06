import { startBar } from '@mhe/example-terminal/progress';
import type { RecogniserInput } from './input.js';
import type { Recogniser } from './recogniser.js';

/** How long a recogniser takes for a line, and what it read. */
export interface Timing {
  /** Median over all lines and rounds. */
  readonly milliseconds: number;
  readonly texts: readonly string[];
}

/**
 * Times recognisers side by side: each line is read by one after the other before the next line's turn, so that
 * whatever else the machine does meets them all alike. The first line is read once more beforehand, to warm up.
 */
export async function timeInterleaved(
  task: string,
  recognisers: readonly Recogniser[],
  inputs: readonly RecogniserInput[],
  rounds: number,
): Promise<Timing[]> {
  const runs = recognisers.map((recogniser) => ({ recogniser, durations: [] as number[], texts: [] as string[] }));
  const bar = startBar(task, rounds * inputs.length);
  for (const { recogniser } of runs) for (const input of inputs.slice(0, 1)) await recogniser.read(input);
  for (let round = 0; round < rounds; round++) {
    for (const [line, input] of inputs.entries()) {
      for (const { recogniser, durations, texts } of runs) {
        const start = performance.now();
        texts[line] = await recogniser.read(input);
        durations.push(performance.now() - start);
      }
      bar.increment();
    }
  }
  bar.stop();
  return runs.map(({ durations, texts }) => ({ milliseconds: median(durations), texts }));
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length / 2;
  const [low = Number.NaN, high = low] = sorted.slice(Math.ceil(half) - 1, Math.floor(half) + 1);
  return (low + high) / 2;
}
