import type { OutputDifference } from './report.js';

/** Numbers row-major with their dimensions. */
export interface NumberTensor {
  readonly dims: readonly number[];
  readonly numbers: ArrayLike<number>;
}

/** How far values are from what they should be, over any number of tensors. Places where both are not a number agree. */
export class Difference {
  private largest = 0;
  private largestExpected = 0;
  private squares = 0;
  private expectedSquares = 0;
  private cosines = 0;
  private rows = 0;

  add({ numbers: actual }: NumberTensor, { dims, numbers: expected }: NumberTensor): void {
    if (actual.length !== expected.length) {
      this.largest = Number.POSITIVE_INFINITY;
      return;
    }
    const width = dims.at(-1) || 1;
    for (let start = 0; start < expected.length; start += width) this.addRow(actual, expected, start, start + width);
  }

  private addRow(actual: ArrayLike<number>, expected: ArrayLike<number>, start: number, end: number): void {
    let [dot, aa, ee] = [0, 0, 0];
    for (let i = start; i < end; i++) {
      const [x, y] = [actual[i] as number, expected[i] as number];
      if (x === y || (Number.isNaN(x) && Number.isNaN(y))) {
        if (!Number.isFinite(y)) continue;
      }
      const gap = Math.abs(x - y);
      if (!(gap <= this.largest)) this.largest = Number.isNaN(gap) ? Number.POSITIVE_INFINITY : gap;
      this.largestExpected = Math.max(this.largestExpected, Math.abs(y));
      this.squares += gap * gap;
      this.expectedSquares += y * y;
      dot += x * y;
      aa += x * x;
      ee += y * y;
    }
    if (ee === 0 && aa === 0) return;
    this.cosines += aa > 0 && ee > 0 ? dot / Math.sqrt(aa * ee) : 0;
    this.rows++;
  }

  /** Largest difference, relative to the largest expected value; not a number where nothing but zeros was expected. */
  get relativeToLargest(): number {
    return this.largest / this.largestExpected;
  }

  /** Root mean square difference, relative to the root mean square of the expected values. */
  get relative(): number {
    return this.squares === 0 ? 0 : Math.sqrt(this.squares / this.expectedSquares);
  }

  toOutput(name: string): OutputDifference {
    return {
      name,
      maxAbsolute: this.largest,
      relative: this.relative,
      cosine: this.rows > 0 ? this.cosines / this.rows : 1,
    };
  }
}
