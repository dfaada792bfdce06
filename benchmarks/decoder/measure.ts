import { median } from '../machine/median.js';
import type { Decoder } from './decoder.js';

/** What is measured on each model. */
export interface Measured {
  readonly perplexity: number;
  /** Share of the tokens of the text whose likeliest successor is the original's. */
  readonly likeOriginal: number;
  /** Share of the generated tokens that the original generates at the same place. */
  readonly generatedLikeOriginal: number;
  readonly promptMilliseconds: number;
  readonly tokenMilliseconds: number;
}

/** The text, cut into windows, and the starts of some of them to go on from. */
export interface Material {
  readonly windows: readonly (readonly number[])[];
  readonly prompts: readonly (readonly number[])[];
  readonly generated: number;
}

/** Every model in turn at each window and prompt, so that what else the machine does meets them alike. The first is the original. */
export async function measureAll(
  decoders: readonly Decoder[],
  { windows, prompts, generated }: Material,
  { signal, onStep }: { readonly signal: AbortSignal; readonly onStep: () => void },
): Promise<Measured[]> {
  const runs = decoders.map(() => ({
    loss: 0,
    likely: [] as number[],
    written: [] as number[],
    prompt: [] as number[],
    token: [] as number[],
  }));
  for (const window of windows) {
    for (const [i, decoder] of decoders.entries()) {
      signal.throwIfAborted();
      const { loss, likeliest } = await decoder.predict(window);
      const run = runs[i] as (typeof runs)[number];
      run.loss += loss;
      run.likely.push(...likeliest);
      onStep();
    }
  }
  for (const prompt of prompts) {
    for (const [i, decoder] of decoders.entries()) {
      signal.throwIfAborted();
      const { tokens, promptMilliseconds, tokenMilliseconds } = await decoder.generate(prompt, generated);
      const run = runs[i] as (typeof runs)[number];
      run.written.push(...tokens);
      run.prompt.push(promptMilliseconds);
      run.token.push(tokenMilliseconds);
      onStep();
    }
  }
  const [original] = runs;
  return runs.map(({ loss, likely, written, prompt, token }) => ({
    perplexity: Math.exp(loss / likely.length),
    likeOriginal: shareAlike(likely, original?.likely ?? []),
    generatedLikeOriginal: shareAlike(written, original?.written ?? []),
    promptMilliseconds: median(prompt),
    tokenMilliseconds: median(token),
  }));
}

function shareAlike(tokens: readonly number[], expected: readonly number[]): number {
  return tokens.filter((token, i) => token === expected[i]).length / tokens.length;
}
