import type { SwapProgress } from './options.js';

/** Counts the runs of a swap into one figure for whoever watches. */
export class ProgressCounter {
  private total = 0;
  private done = 0;
  private at: Pick<SwapProgress, 'stage' | 'site'> = { stage: 'capture', site: '' };

  constructor(private readonly tell: ((progress: SwapProgress) => void) | undefined) {}

  /** Says how many runs there will be at most. */
  expect(total: number): void {
    this.total = total;
  }

  enter(stage: Pick<SwapProgress, 'stage' | 'site'>): void {
    this.at = stage;
    this.report();
  }

  step(): void {
    this.done = Math.min(this.done + 1, this.total);
    this.report();
  }

  /** A site that needed fewer runs leaves some over. */
  finish(): void {
    if (this.done === this.total) return;
    this.done = this.total;
    this.report();
  }

  private report(): void {
    this.tell?.({ ...this.at, done: this.done, total: this.total });
  }
}
