import type { OutputDifference } from '@mhe/core';
import type { HostTensor } from '../run/host-tensor.js';
import { hostNumbers } from '../run/host-tensor.js';

/** How far values are from what they should be, over any number of tensors. Places where both are not a number agree. */
export class Difference {
  private largest = 0;
  private largestExpected = 0;
  private squares = 0;
  private expectedSquares = 0;
  private cosines = 0;
  private rows = 0;

  add(actual: HostTensor, expected: HostTensor): void {
    const [a, e] = [hostNumbers(actual), hostNumbers(expected)];
    if (a.length !== e.length) {
      this.largest = Number.POSITIVE_INFINITY;
      return;
    }
    const width = expected.dims.at(-1) || 1;
    for (let start = 0; start < e.length; start += width)
      this.addRow(a.subarray(start, start + width), e.subarray(start, start + width));
  }

  private addRow(actual: Float64Array, expected: Float64Array): void {
    let [dot, aa, ee] = [0, 0, 0];
    for (let i = 0; i < expected.length; i++) {
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

  /** Largest difference, relative to the largest expected value. */
  get relativeToLargest(): number {
    return this.largest === 0 ? 0 : this.largest / this.largestExpected;
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
