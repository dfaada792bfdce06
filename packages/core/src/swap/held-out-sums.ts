import type { OutputMoments } from '../fit/output.js';
import type { Matrix } from '../float64/matrix.js';
import { heldOutRows } from './held-out-rows.js';

/** A sum of products of rows, as an adapter computes it; `undefined` where nothing was added. */
interface ProductSum {
  total(): Promise<Matrix | undefined>;
}

/** The sums of one part (see `OutputMoments`). */
export interface OutputSumsOfPart<Sum> {
  readonly features: Sum;
  readonly targets: Sum;
}

/** Sums of what new heads compute against what the original put out, for each part of the calibration that is held out. */
export class HeldOutSums<Sum extends ProductSum> {
  /** Those that were begun. */
  readonly parts: OutputSumsOfPart<Sum>[] = [];

  /**
   * @param inputs - how many calibration inputs there are.
   * @param begin - makes an empty sum.
   */
  constructor(
    private readonly inputs: number,
    private readonly begin: () => Sum,
  ) {}

  /**
   * Which rows of a calibration input go to which sums.
   *
   * @param input - its number, from 0.
   * @param rows - how many it has.
   */
  sumsOf(input: number, rows: number): (OutputSumsOfPart<Sum> & { readonly start: number; readonly end: number })[] {
    return heldOutRows(input, this.inputs, rows).map(({ part, start, end }) => {
      this.parts[part] ??= { features: this.begin(), targets: this.begin() };
      return { ...this.parts[part], start, end };
    });
  }

  /** The moments of every part that has rows. */
  async total(): Promise<OutputMoments[]> {
    const totals: OutputMoments[] = [];
    for (const sums of this.parts) {
      const [features, targets] = [await sums.features.total(), await sums.targets.total()];
      if (features && targets) totals.push({ features, targets });
    }
    return totals;
  }
}
