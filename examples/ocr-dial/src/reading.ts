import { availableParallelism } from 'node:os';
import { startBar } from '@mhe/example-terminal/progress';
import type { RecogniserInput } from './input.js';
import type { Recogniser } from './recogniser.js';

/** A model's name and what it read, line by line. */
export interface Reading {
  readonly name: string;
  readonly texts: readonly string[];
}

/** Reads all lines, several at a time where there are several processors. */
export async function readAll(
  name: string,
  recogniser: Recogniser,
  inputs: readonly RecogniserInput[],
): Promise<Reading> {
  const bar = startBar(`Reading with ${name}`, inputs.length);
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
  return { name, texts };
}
