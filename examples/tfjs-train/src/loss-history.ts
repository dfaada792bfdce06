import { type Kind, kinds, type PerKind, perKind } from './sizes.js';
import type { StepReport } from './trainer.js';

/** Steps that a shown loss is the mean of. */
const window = 10;

/** The losses and times so far. */
export class LossHistory {
  readonly steps: number[] = [];
  /** For every step the mean of the last few. */
  readonly smooth: PerKind<number[]> = perKind(() => []);
  private readonly losses: PerKind<number[]> = perKind(() => []);
  private readonly times: PerKind<number[]> = perKind(() => []);

  add({ step, losses, milliseconds }: StepReport): void {
    this.steps.push(step);
    for (const kind of kinds) {
      this.losses[kind].push(losses[kind]);
      this.times[kind].push(milliseconds[kind]);
      this.smooth[kind].push(mean(this.losses[kind].slice(-window)));
    }
  }

  first(kind: Kind): number | undefined {
    return this.losses[kind][0];
  }

  now(kind: Kind): number | undefined {
    return this.smooth[kind].at(-1);
  }

  /** Mean time of the last few steps. */
  milliseconds(kind: Kind): number | undefined {
    return this.steps.length === 0 ? undefined : mean(this.times[kind].slice(-window));
  }
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
