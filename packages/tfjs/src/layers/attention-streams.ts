import type { AttentionCallArgs } from './call-args.js';

/** What a call of an attention layer reads. The same object where streams are the same. */
export interface AttentionStreams<T> {
  readonly query: T;
  readonly value: T;
  readonly key: T;
  readonly attentionMask: T | null;
}

/**
 * The streams of a call: `query`, or `[query, value, key, attentionMask]` of which the last may be left out, and those
 * in the call's arguments.
 *
 * @throws Error when a stream is given twice, or is no tensor.
 */
export function readStreams<T extends object>(
  layer: string,
  inputs: T | readonly T[],
  args: AttentionCallArgs,
): AttentionStreams<T> {
  const [query, ...listed] = Array.isArray(inputs) ? (inputs as readonly T[]) : [inputs as T];
  if (!query) throw new Error(`${layer}: expected a query, got no input`);
  if (listed.length > 3) {
    throw new Error(`${layer}: expected [query, value, key, attentionMask] at most, got ${listed.length + 1} inputs`);
  }
  const pick = (position: number, name: 'value' | 'key' | 'attentionMask'): T | undefined => {
    const named = args[name] as T | null | undefined;
    if (named != null && listed[position] !== undefined) throw new Error(`${layer}: ${name} is given twice`);
    if (Array.isArray(named)) {
      throw new Error(
        `${layer}: ${name} is a reference to a layer of a Keras model; call registerLayers() before loading it`,
      );
    }
    return named ?? listed[position];
  };
  const value = pick(0, 'value') ?? query;
  return { query, value, key: pick(1, 'key') ?? value, attentionMask: pick(2, 'attentionMask') ?? null };
}

/** The streams as one list, as short as can be; its length tells what is what. */
export function listStreams<T>({ query, value, key, attentionMask }: AttentionStreams<T>): T[] {
  if (attentionMask) return [query, value, key, attentionMask];
  if (key !== value) return [query, value, key];
  return value === query ? [query] : [query, value];
}
