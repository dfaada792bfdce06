import type { Projection } from '../attention/weights.js';
import { cutColumns } from '../float64/cut.js';
import type { Matrix } from '../float64/matrix.js';
import { zeros } from '../float64/zeros.js';

/** One head's columns of a projection, as they are. */
export function headProjection({ weight, bias }: Projection, head: number, size: number): Projection {
  return {
    weight: cutColumns(weight, head * size, size),
    bias: bias?.slice(head * size, (head + 1) * size) ?? null,
  };
}

/** Projections of the same input side by side; a part without a bias has zeros where another has one. */
export function joinProjections(parts: readonly Projection[]): Projection {
  const cols = parts.reduce((sum, { weight }) => sum + weight.cols, 0);
  const weight = zeros(parts[0]?.weight.rows ?? 0, cols);
  const bias = parts.some((part) => part.bias) ? new Float64Array(cols) : null;
  let col = 0;
  for (const part of parts) {
    const width = part.weight.cols;
    for (let r = 0; r < weight.rows; r++) {
      weight.data.set(part.weight.data.subarray(r * width, (r + 1) * width), r * cols + col);
    }
    if (part.bias) bias?.set(part.bias, col);
    col += width;
  }
  return { weight, bias };
}

/** Rows that belong to some heads. */
export interface HeadRows {
  readonly heads: readonly number[];
  /** Equally many rows for each head, one head below the other; `null` for the neutral ones. */
  readonly rows: Matrix | null;
}

/**
 * Puts the rows of all heads in the heads' order.
 *
 * @param size - rows of each head.
 * @returns `null` where all are neutral.
 */
export function joinHeadRows(parts: readonly HeadRows[], size: number, neutral: number): Matrix | null {
  const cols = parts.find((part) => part.rows)?.rows?.cols;
  if (cols === undefined) return null;
  const numHeads = parts.reduce((sum, { heads }) => sum + heads.length, 0);
  const out = zeros(numHeads * size, cols);
  out.data.fill(neutral);
  for (const { heads, rows } of parts) {
    heads.forEach((head, i) => {
      if (rows) out.data.set(rows.data.subarray(i * size * cols, (i + 1) * size * cols), head * size * cols);
    });
  }
  return out;
}
