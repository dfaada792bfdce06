import type { LibraryEnv } from './library.js';

const last = new WeakMap<LibraryEnv, Promise<unknown>>();

/**
 * Does work that has set the library's settings differently for a while, one after another: each puts back what it found.
 */
export function inTurn<T>(env: LibraryEnv, work: () => Promise<T>): Promise<T> {
  const before = last.get(env) ?? Promise.resolve();
  const done = before.then(work);
  last.set(
    env,
    done.catch(() => {}),
  );
  return done;
}
