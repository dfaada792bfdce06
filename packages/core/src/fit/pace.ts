/** Called between steps of long work: lets others run, and throws the signal's reason once it is aborted. */
export type Pace = () => Promise<void>;

/** Milliseconds of work between two pauses: short enough for a page to stay alive. */
const SLICE = 25;

/** A pace that pauses by the clock, so that many short steps do not wait for as many timers. */
export function createPace(signal?: AbortSignal): Pace {
  let last = performance.now();
  return async () => {
    signal?.throwIfAborted();
    if (performance.now() - last < SLICE) return;
    await new Promise((resolve) => setTimeout(resolve, 0));
    last = performance.now();
    signal?.throwIfAborted();
  };
}
