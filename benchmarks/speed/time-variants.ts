import { encodeModel, type OrtSession } from '@mhe/onnx';
import type { Runtime } from '../machine/runtimes.js';
import { checkOutput } from './check.js';
import { layer } from './layer.js';
import type { Variant } from './variants.js';

const FEWEST_ROUNDS = 7;

/** Milliseconds of every counted run, by variant. */
export type Durations = ReadonlyMap<Variant, readonly number[]>;

/**
 * Times variants side by side: in every round each is run once, one after the other, so that whatever else the machine
 * does meets them all alike. Outputs are checked first, which warms up too.
 *
 * @param input - `[sequence, modelDim]`.
 * @param seconds - how long the rounds go on, about.
 */
export async function timeVariants(
  runtime: Runtime,
  variants: readonly Variant[],
  input: Float32Array,
  seconds: number,
): Promise<Durations> {
  const feed = runtime.tensor('float32', input, [1, input.length / layer.modelDim, layer.modelDim]);
  const durations = new Map(variants.map((variant) => [variant, [] as number[]]));
  const sessions: OrtSession[] = [];
  for (const variant of variants) sessions.push(await runtime.open(encodeModel(variant.model).bytes));
  const run = async (i: number) => {
    const session = sessions[i] as OrtSession;
    const output = session.outputNames[0] as string;
    return (await session.run({ hidden: feed }, [output]))[output]?.data as Float32Array;
  };
  for (const [i, variant] of variants.entries()) checkOutput(variant, runtime.name, input, await run(i));
  const end = performance.now() + 1000 * seconds;
  for (let round = 0; round < FEWEST_ROUNDS || performance.now() < end; round++) {
    for (const [i, variant] of variants.entries()) {
      const start = performance.now();
      await run(i);
      durations.get(variant)?.push(performance.now() - start);
    }
  }
  for (const session of sessions) await session.release();
  return durations;
}
