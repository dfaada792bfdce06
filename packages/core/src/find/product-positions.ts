import { stridesOf } from './layout.js';
import { indexed } from './projection.js';

/** A label of a product with its size in the result. */
export interface SizedLabel {
  readonly label: string;
  readonly size: number;
}

/** For every element of a product's result, its position along one label. */
export function along(labels: readonly string[], dims: readonly number[], label: string): Int32Array {
  return indexed(
    dims,
    labels.map((other) => (other === label ? 1 : 0)),
  );
}

/** For every element of a product's result, its position over several labels, row by row. */
export function over(labels: readonly string[], dims: readonly number[], batch: readonly SizedLabel[]): Int32Array {
  const strides = stridesOf(batch.map(({ size }) => size));
  return indexed(
    dims,
    labels.map((label) => strides[batch.findIndex((entry) => entry.label === label)] ?? 0),
  );
}
