import type { TensorPort } from '@mhe/core';
import type { Axis, GraphValue, Size } from './graph-value.js';
import { apart } from './graph-value.js';
import type { NodeBuilder } from './node-builder.js';
import type { Shaper } from './shaper.js';

/**
 * A product as NumPy's `matmul` has it. Backends of TensorFlow.js do not broadcast batch axes one by one (they count
 * through the flat batch), and wasm has a fast kernel for single matrices only: so a matrix that serves many rows
 * multiplies them all at once, and operands of a batched product have the same batch.
 */
export function multiply(
  builder: NodeBuilder,
  shaper: Shaper,
  port: TensorPort<GraphValue>,
  a: GraphValue,
  b: GraphValue,
): GraphValue {
  const rowsA = a.dims.slice(0, -1);
  const [inner, cols] = b.dims.slice(-2) as [Size, Size];
  const plain = { transpose_a: false, transpose_b: false };
  if (b.dims.length === 2) {
    const axes: Axis[] = [rowsA, [inner]];
    const name = builder.node('MatMul', [shaper.shaped(a, axes), shaper.spread(b)], plain);
    return { name, dims: [...rowsA, cols], axes: [rowsA, [cols]] };
  }
  const rank = Math.max(a.dims.length, b.dims.length);
  const padded = (dims: readonly Size[]) => [...new Array<Size>(rank - dims.length).fill(1), ...dims];
  const [dimsA, dimsB] = [padded(a.dims), padded(b.dims)];
  const rows = dimsA[rank - 2] as Size;
  const batch = dimsA.slice(0, -2).map((size, axis) => (size === 1 ? (dimsB[axis] as Size) : size));
  // Batch axes that only the rows have, next to them, are more rows.
  let shared = batch.length;
  while (shared > 0 && dimsB[shared - 1] === 1) shared--;
  const common = batch.slice(0, shared);
  const merged = [...batch.slice(shared), rows];
  const repeated = (value: GraphValue, dims: readonly Size[]): GraphValue => {
    let result: GraphValue = { ...value, dims };
    common.forEach((size, axis) => {
      if (dims[axis] === size) return;
      if (typeof size === 'string') throw new TypeError(`a product broadcasts the open size ${size}`);
      result = port.gather(result, new Array<number>(size).fill(0), axis);
    });
    return result;
  };
  const left = repeated(a, dimsA);
  const right = repeated(b, dimsB);
  const batchAxes = apart(common.filter((size) => size !== 1));
  const inputs = [
    shaper.shaped(left, [...batchAxes, merged, [inner]]),
    shaper.shaped(right, [...batchAxes, [inner], [cols]]),
  ];
  const name = builder.node('BatchMatMulV2', inputs, { adj_x: false, adj_y: false });
  return { name, dims: [...batch, rows, cols], axes: [...batchAxes, merged, [cols]] };
}
