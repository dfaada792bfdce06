import { availableParallelism } from 'node:os';
import type { RecogniserInput } from './input.js';
import { startBar } from './progress.js';
import type { Recogniser } from './recogniser.js';

/** Reads all lines, several at a time where there are several processors. */
export async function readAll(
  task: string,
  recogniser: Recogniser,
  inputs: readonly RecogniserInput[],
): Promise<string[]> {
  const bar = startBar(task, inputs.length);
  const texts = inputs.map(() => '');
  const waiting = inputs.entries();
  async function lane() {
    for (const [index, input] of waiting) {
      texts[index] = await recogniser.read(input);
      bar.increment();
    }
  }
  await Promise.all(Array.from({ length: availableParallelism() }, lane));
  bar.stop();
  return texts;
}
