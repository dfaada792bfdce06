import type { TfjsModel } from '../file/model.js';
import type { ValueType } from '../graph-model/extract-part.js';
import { extractPart } from '../graph-model/extract-part.js';
import type { HostTensors } from '../run/host-tensor.js';
import type { Session } from '../run/session.js';
import { withSession } from '../run/session.js';
import type { Frontier, RunWatch } from './frontier.js';

/**
 * Loads the part of a model between known values and some others, and does something with every calibration input,
 * stopping where the signal says so.
 *
 * @param outputs - values to compute; those that are known already are left to the caller.
 */
export async function forEach(
  model: TfjsModel,
  frontier: Frontier,
  outputs: readonly string[],
  watch: RunWatch,
  each: (session: Session, values: HostTensors, at: number) => Promise<void>,
): Promise<void> {
  watch.signal?.throwIfAborted();
  const known = frontier[0] ?? {};
  const types = new Map(Object.entries(known).map(([name, { dtype }]) => [name, dtype as ValueType]));
  const part = extractPart(
    model,
    types,
    outputs.filter((output) => !types.has(output)),
  );
  await withSession(part, async (session) => {
    for (const [at, values] of frontier.entries()) {
      watch.signal?.throwIfAborted();
      await each(session, values, at);
      watch.onStep?.();
    }
  });
}

/** Runs a part of a model once for every calibration input; returns what it computes. */
export async function runAll(
  model: TfjsModel,
  frontier: Frontier,
  outputs: readonly string[],
  watch: RunWatch = {},
): Promise<HostTensors[]> {
  const results: HostTensors[] = [];
  await forEach(model, frontier, outputs, watch, async (session, values) => {
    results.push(await session.run(values));
  });
  return results;
}
