import type { Heads } from './heads.js';
import type { TensorPort } from './port.js';
import type { Projection } from './weights.js';

/** A projection whose columns are `count` blocks of `size`, and the stream that it reads. */
export interface HeadProjection<T> {
  readonly stream: T;
  readonly projection: Projection;
  readonly count: number;
  readonly size: number;
}

/** `x W + b`; a bias of zeros is left out. */
export function project<T>(port: TensorPort<T>, stream: T, { weight, bias }: Projection): T {
  const product = port.matMul(stream, port.constant(weight.data, [weight.rows, weight.cols]));
  if (bias === null || bias.every((x) => x === 0)) return product;
  return port.add(product, port.constant(bias, [weight.cols]));
}

/**
 * Projects streams and gives each result an axis of heads. Projections of the same stream, by reference, become one
 * product, which is then cut.
 */
export function projectHeads<T, Parts extends readonly HeadProjection<T>[]>(
  port: TensorPort<T>,
  parts: readonly [...Parts],
): { [Part in keyof Parts]: Heads<T> } {
  const results = new Map<HeadProjection<T>, Heads<T>>();
  for (const stream of new Set(parts.map((part) => part.stream))) {
    const sharing = parts.filter((part) => part.stream === stream);
    const joined = project(port, stream, joinProjections(sharing.map((part) => part.projection)));
    separateHeads(port, joined, sharing).forEach((tensor, i) => {
      const part = sharing[i] as HeadProjection<T>;
      results.set(part, { tensor, count: part.count });
    });
  }
  return parts.map((part) => results.get(part)) as { [Part in keyof Parts]: Heads<T> };
}

/** Columns side by side; a missing bias counts as zeros where another has one. */
function joinProjections(projections: readonly Projection[]): Projection {
  const [first] = projections as [Projection];
  if (projections.length === 1) return first;
  const rows = first.weight.rows;
  const cols = projections.reduce((total, { weight }) => total + weight.cols, 0);
  const data = new Float64Array(rows * cols);
  const bias = new Float64Array(cols);
  let start = 0;
  for (const { weight, bias: ownBias } of projections) {
    for (let row = 0; row < rows; row++) {
      data.set(weight.data.subarray(row * weight.cols, (row + 1) * weight.cols), row * cols + start);
    }
    if (ownBias) bias.set(ownBias, start);
    start += weight.cols;
  }
  return { weight: { rows, cols, data }, bias };
}

/** From `[batch, length, width]` to one `[batch, count, length, size]` a part, in as few steps as their sizes allow. */
function separateHeads<T>(port: TensorPort<T>, joined: T, parts: readonly HeadProjection<T>[]): T[] {
  const [first] = parts as [HeadProjection<T>];
  const counts = parts.map((part) => part.count);
  const sizes = parts.map((part) => part.size);
  if (parts.length === 1) return [headAxis(port, joined, first.count, first.size)];
  if (counts.every((count) => count === 1)) return port.split(port.unsqueeze(joined, [1]), sizes, 3);
  if (sizes.every((size) => size === first.size)) {
    const total = counts.reduce((sum, count) => sum + count, 0);
    return port.split(headAxis(port, joined, total, first.size), counts, 1);
  }
  const widths = parts.map((part) => part.count * part.size);
  return port.split(joined, widths, 2).map((part, i) => headAxis(port, part, counts[i] as number, sizes[i] as number));
}

function headAxis<T>(port: TensorPort<T>, projected: T, count: number, size: number): T {
  if (count === 1) return port.unsqueeze(projected, [1]);
  return port.transpose(port.reshape(projected, [0, 0, count, size]), [0, 2, 1, 3]);
}
