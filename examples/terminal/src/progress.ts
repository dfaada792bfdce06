import { Presets, SingleBar } from 'cli-progress';

/** A bar for one piece of work, on stderr, so that stdout holds the results alone. */
export interface Bar {
  /** Sets how far it is; `total` where that has changed. */
  update(done: number, total?: number): void;
  increment(): void;
  stop(): void;
}

/** Starts a bar, or prints the task once where there is no terminal to draw on. */
export function startBar(task: string, total: number): Bar {
  if (!process.stderr.isTTY) {
    process.stderr.write(`${task} ...\n`);
    return { update() {}, increment() {}, stop() {} };
  }
  const bar = new SingleBar(
    { stream: process.stderr, format: '{bar} {percentage} %  {task}', barsize: 24, clearOnComplete: true },
    Presets.shades_classic,
  );
  bar.start(total, 0, { task });
  return {
    update(done, newTotal) {
      if (newTotal !== undefined) bar.setTotal(newTotal);
      bar.update(done);
    },
    increment: () => bar.increment(),
    stop: () => bar.stop(),
  };
}
