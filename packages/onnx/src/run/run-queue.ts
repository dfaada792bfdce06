/** The last task given for each owner; the next one waits for it. */
const tails = new WeakMap<object, Promise<unknown>>();

/**
 * Runs tasks of one owner one after another, in the order they are given; a task that fails does not stop the next.
 *
 * @param owner - what must not do two things at once.
 * @param task - started when all earlier tasks of the owner have ended.
 * @returns what the task returns or throws.
 */
export function inTurn<T>(owner: object, task: () => Promise<T>): Promise<T> {
  const before = tails.get(owner) ?? Promise.resolve();
  const result = before.then(task);
  tails.set(
    owner,
    result.catch(() => undefined),
  );
  return result;
}
