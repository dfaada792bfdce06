import { median } from '../machine/median.js';

/**
 * Median milliseconds of each load, one after the other before the next round.
 *
 * @param loads - each gives back what frees the loaded model.
 */
export async function loadTimes(
  loads: readonly (() => Promise<() => Promise<unknown>>)[],
  rounds: number,
  signal: AbortSignal,
): Promise<number[]> {
  const durations: number[][] = loads.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (const [i, load] of loads.entries()) {
      signal.throwIfAborted();
      const start = performance.now();
      const release = await load();
      durations[i]?.push(performance.now() - start);
      await release();
    }
  }
  return durations.map(median);
}
