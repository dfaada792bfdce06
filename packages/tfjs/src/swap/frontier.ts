import type { HostTensors } from '../run/host-tensor.js';

/** The values that are known of every calibration input, by name: feeds, and what stages so far have computed. */
export type Frontier = readonly HostTensors[];

/** What a long run tells and asks while it goes. */
export interface RunWatch {
  readonly signal?: AbortSignal | undefined;
  /** Called after every calibration input. */
  readonly onStep?: (() => void) | undefined;
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
