/** Work that goes on in a worker of its own. */
export interface Job<Result> {
  /** `null` where it was cancelled. */
  readonly result: Promise<Result | null>;
  cancel(): void;
}

/** Has a worker do one piece of work, and ends it with that, or where the work is cancelled. */
export function startJob<Result>(worker: Worker, work: () => Promise<Result>): Job<Result> {
  let cancel = () => {};
  const cancelled = new Promise<null>((resolve) => {
    cancel = () => resolve(null);
  });
  const failed = new Promise<never>((_, reject) => {
    worker.addEventListener('error', ({ message }) => reject(new Error(message || 'The worker could not be started.')));
  });
  return { result: Promise.race([work(), cancelled, failed]).finally(() => worker.terminate()), cancel };
}
