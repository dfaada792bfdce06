import { extractModel } from '../graph/extract-model.js';
import type { OnnxModel } from '../graph/model.js';
import type { HostTensor, HostTensors } from '../run/host-tensor.js';
import type { Session, SessionOptions } from '../run/session.js';
import { withSession } from '../run/session.js';
import { dataTypeOf } from '../tensor/dtype.js';

/** The values that are known of every calibration input, by name: feeds, and what stages so far have computed. */
export type Frontier = readonly HostTensors[];

/** What a long run tells and asks while it goes. */
export interface RunWatch {
  readonly signal?: AbortSignal | undefined;
  /** Called after every calibration input. */
  readonly onStep?: (() => void) | undefined;
}

/**
 * The part of a model between known values and some others, with the types of the known ones.
 *
 * @param inputs - names that every entry of the frontier has.
 */
export function partBetween(
  model: OnnxModel,
  frontier: Frontier,
  inputs: readonly string[],
  outputs: readonly string[],
): OnnxModel {
  const known = frontier[0] ?? {};
  return extractModel(model, {
    inputs: inputs.map((name) => ({ name, elemType: dataTypeOf((known[name] as HostTensor).dtype) })),
    outputs,
  });
}

/**
 * Runs a model once for every calibration input.
 *
 * @param outputs - which to return; default all.
 */
export async function runAll(
  model: OnnxModel,
  frontier: Frontier,
  options: SessionOptions,
  watch: RunWatch = {},
  outputs?: readonly string[],
): Promise<HostTensors[]> {
  const results: HostTensors[] = [];
  await forEach(model, frontier, options, watch, async (session, values) => {
    results.push(await session.run(values, outputs));
  });
  return results;
}

/** Opens a model and does something with every calibration input, stopping where the signal says so. */
export async function forEach(
  model: OnnxModel,
  frontier: Frontier,
  options: SessionOptions,
  watch: RunWatch,
  each: (session: Session, values: HostTensors, at: number) => Promise<void>,
): Promise<void> {
  watch.signal?.throwIfAborted();
  await withSession(model, options, async (session) => {
    for (const [at, values] of frontier.entries()) {
      watch.signal?.throwIfAborted();
      await each(session, values, at);
      watch.onStep?.();
    }
  });
}

/** Each entry with more values. */
export function extended(frontier: Frontier, more: Frontier): HostTensors[] {
  return frontier.map((values, i) => ({ ...values, ...more[i] }));
}

/** Each entry with only the values of these names that it has. */
export function only(frontier: Frontier, names: Iterable<string>): HostTensors[] {
  const wanted = [...new Set(names)];
  return frontier.map((values) =>
    Object.fromEntries(wanted.flatMap((name) => (values[name] ? [[name, values[name]]] : []))),
  );
}
