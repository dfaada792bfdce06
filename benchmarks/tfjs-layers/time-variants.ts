import { abs, dispose, max, mul, type Scalar, sub, sum, type Tensor, tidy, variableGrads } from '@tensorflow/tfjs-core';
import type { Variant } from './variants.js';

/** What is timed. */
export type Pass = 'forward' | 'forward and backward';

const FEWEST_ROUNDS = 3;

/**
 * Milliseconds of every counted run. In every round each variant runs once, one after the other, so that whatever else
 * the machine does meets them all alike. Outputs are compared first, which warms up too.
 *
 * @param seconds - how long the rounds go on, about.
 */
export function timeVariants(
  variants: readonly Variant[],
  input: Tensor,
  pass: Pass,
  seconds: number,
): ReadonlyMap<Variant, readonly number[]> {
  const durations = new Map(variants.map((variant) => [variant, [] as number[]]));
  if (pass === 'forward') compareOutputs(variants, input);
  else for (const variant of variants) backward(variant, input);
  const end = performance.now() + 1000 * seconds;
  for (let round = 0; round < FEWEST_ROUNDS || performance.now() < end; round++) {
    for (const variant of variants) {
      const start = performance.now();
      if (pass === 'forward') forward(variant, input);
      else backward(variant, input);
      durations.get(variant)?.push(performance.now() - start);
    }
  }
  return durations;
}

function forward(variant: Variant, input: Tensor): void {
  const output = tidy(() => variant.run(input));
  output.dataSync();
  output.dispose();
}

/** A training step but for the update: the gradient of all weights. */
function backward(variant: Variant, input: Tensor): void {
  const loss = () => sum(mul(variant.run(input), input)) as Scalar;
  const { value, grads } = variableGrads(loss, [...variant.variables]);
  for (const gradient of Object.values(grads)) gradient.dataSync();
  dispose([value, ...Object.values(grads)]);
}

function compareOutputs(variants: readonly Variant[], input: Tensor): void {
  const references = new Map<Variant['same'], Tensor>();
  for (const variant of variants) {
    const output = tidy(() => variant.run(input));
    const expected = references.get(variant.same);
    if (!expected) {
      references.set(variant.same, output);
      continue;
    }
    const difference = tidy(
      () => (max(abs(sub(output, expected))).dataSync()[0] as number) / (max(abs(expected)).dataSync()[0] as number),
    );
    output.dispose();
    if (!(difference < 1e-4)) throw new Error(`${variant.name}: differs from its reference by ${difference}`);
  }
  dispose([...references.values()]);
}
