import { inTurn } from '@mhe/onnx';
import type { LibraryEnv, TransformersLibrary } from './library.js';

/**
 * Does some work of the library's that a signal ends. Version 4 has a place for that, `env.fetch`, by which a download
 * ends in order; in earlier ones it goes on behind, and the work is only left.
 *
 * @throws the signal's reason where it is aborted.
 */
export async function interruptible<T>(
  { env }: TransformersLibrary,
  signal: AbortSignal | undefined,
  work: () => Promise<T>,
): Promise<T> {
  if (signal === undefined) return work();
  signal.throwIfAborted();
  if (env.fetch === undefined) return Promise.race([work(), rejection(signal)]);
  return inTurn(env, () => fetchingWith(env, signal, work));
}

async function fetchingWith<T>(env: LibraryEnv, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  signal.throwIfAborted();
  const { fetch } = env;
  env.fetch = (input, init) => (fetch as NonNullable<typeof fetch>)(input, { ...init, signal });
  try {
    return await work();
  } finally {
    env.fetch = fetch;
    signal.throwIfAborted();
  }
}

function rejection(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}
