import { elementCount, stridesOf } from './layout.js';
import { Refusal } from './refusal.js';
import type { ProjectedValue } from './trace.js';

/**
 * An operand of a product taken apart: its batch positions, its free positions (tokens) and its features. Row
 * and column of each element are proved to depend on (batch, token) and on (batch, feature) alone.
 */
export interface TakenApart {
  readonly batchCount: number;
  readonly tokenCount: number;
  readonly featureCount: number;
  /** `[batchCount, tokenCount]`: row of the projection's stream. */
  readonly rows: Int32Array;
  /** `[batchCount, featureCount]`: column of the projection. */
  readonly columns: Int32Array;
  /** `[batchCount, featureCount]`. */
  readonly gain: Float64Array;
  readonly offset: Float64Array;
  /** What multiplies it after a rotation or a cache, `[batchCount, featureCount]`. */
  readonly late: Float64Array;
  /** The element of the value at a batch position, token and feature. */
  readonly elementAt: (batch: number, token: number, feature: number) => number;
}

/**
 * @param labels - label of each axis of the operand.
 * @param batch - labels of the batch positions in order, with their sizes (an operand's own axis may be 1 there).
 */
export function takeApart(
  value: ProjectedValue,
  labels: readonly string[],
  batch: readonly { readonly label: string; readonly size: number }[],
  token: readonly string[],
  feature: readonly string[],
  role: string,
): TakenApart {
  const strides = stridesOf(value.dims);
  const axis = (label: string) => labels.indexOf(label);
  const size = (label: string) => (axis(label) < 0 ? 1 : (value.dims[axis(label)] as number));
  const step = (label: string) => (axis(label) < 0 || size(label) === 1 ? 0 : (strides[axis(label)] as number));
  const batchAt = offsets(
    batch.map(({ size }) => size),
    batch.map(({ label }) => step(label)),
  );
  const tokenAt = offsets(token.map(size), token.map(step));
  const featureAt = offsets(feature.map(size), feature.map(step));
  const result: TakenApart = {
    batchCount: batchAt.length,
    tokenCount: tokenAt.length,
    featureCount: featureAt.length,
    rows: new Int32Array(batchAt.length * tokenAt.length),
    columns: new Int32Array(batchAt.length * featureAt.length),
    gain: new Float64Array(batchAt.length * featureAt.length),
    offset: new Float64Array(batchAt.length * featureAt.length),
    late: new Float64Array(batchAt.length * featureAt.length),
    elementAt: (b, t, f) => (batchAt[b] as number) + (tokenAt[t] as number) + (featureAt[f] as number),
  };
  batchAt.forEach((base, b) => {
    tokenAt.forEach((along, t) => {
      featureAt.forEach((inner, f) => {
        const at = base + along + inner;
        const row = b * tokenAt.length + t;
        const column = b * featureAt.length + f;
        if (f === 0) result.rows[row] = value.rows[at] as number;
        if (t === 0) {
          result.columns[column] = value.columns[at] as number;
          result.gain[column] = value.gain[at] as number;
          result.offset[column] = value.offset[at] as number;
          result.late[column] = value.late[at] as number;
        }
        if (result.rows[row] !== value.rows[at] || result.columns[column] !== value.columns[at]) {
          throw new Refusal(`the ${role} mixes positions and features`, [value.projection.node.source]);
        }
        if (
          !isClose(result.gain[column] as number, value.gain[at] as number) ||
          !isClose(result.offset[column] as number, value.offset[at] as number) ||
          !isClose(result.late[column] as number, value.late[at] as number)
        ) {
          throw new Refusal(`the ${role} is scaled or shifted by position`, [value.projection.node.source]);
        }
      });
    });
  });
  return result;
}

function offsets(sizes: readonly number[], steps: readonly number[]): Int32Array {
  const out = new Int32Array(elementCount(sizes));
  const strides = stridesOf(sizes);
  for (let i = 0; i < out.length; i++) {
    let sum = 0;
    for (let axis = 0; axis < sizes.length; axis++) {
      sum += (Math.floor(i / (strides[axis] as number)) % (sizes[axis] as number)) * (steps[axis] as number);
    }
    out[i] = sum;
  }
  return out;
}

/** Whether two numbers are one, but for rounding. */
export function isClose(a: number, b: number): boolean {
  return Math.abs(a - b) <= 1e-6 * Math.max(Math.abs(a), Math.abs(b), 1e-30);
}
