import type { TensorPort } from '../attention/port.js';
import { accumulateProduct } from './accumulate.js';
import { elementwise } from './elementwise.js';
import { concat, gather, reshape, split, transpose, unsqueeze } from './layout.js';
import { broadcastDims, broadcastTo, type Float64Tensor, float64Tensor, sizeOf } from './tensor.js';

/**
 * The reference interpretation of the tensor port: it computes, in float64. Truth tensors hold 1 for true and 0 for
 * false.
 */
export const float64Port: TensorPort<Float64Tensor> = {
  constant: float64Tensor,
  add: (a, b) => elementwise([a, b], (x, y) => x + y),
  sub: (a, b) => elementwise([a, b], (x, y) => x - y),
  mul: (a, b) => elementwise([a, b], (x, y) => x * y),
  div: (a, b) => elementwise([a, b], (x, y) => x / y),
  exp: (a) => elementwise([a], Math.exp),
  sqrt: (a) => elementwise([a], Math.sqrt),
  where: (condition, a, b) => elementwise([condition, a, b], (truth, x, y) => (truth === 0 ? y : x)),
  isNaN: (a) => elementwise([a], (x) => (Number.isNaN(x) ? 1 : 0)),
  matMul,
  softmax,
  max: (a, axes) => reduced(a, axes, (row) => row.reduce((largest, x) => Math.max(largest, x))),
  mean: (a, axes) => reduced(a, axes, (row) => row.reduce((sum, x) => sum + x, 0) / row.length),
  reshape,
  unsqueeze,
  transpose,
  concat,
  split,
  gather,
};

function matMul(a: Float64Tensor, b: Float64Tensor): Float64Tensor {
  const [rows, inner] = a.dims.slice(-2) as [number, number];
  const [innerOfB, cols] = b.dims.slice(-2) as [number, number];
  if (a.dims.length < 2 || b.dims.length < 2 || inner !== innerOfB) {
    throw new RangeError(`matMul: cannot multiply [${a.dims.join(', ')}] by [${b.dims.join(', ')}]`);
  }
  const batch = broadcastDims([a.dims.slice(0, -2), b.dims.slice(0, -2)]);
  const left = broadcastTo(a, [...batch, rows, inner]).data;
  const right = broadcastTo(b, [...batch, inner, cols]).data;
  const out = new Float64Array(sizeOf(batch) * rows * cols);
  for (let i = 0; i < sizeOf(batch); i++) {
    accumulateProduct(
      { data: out, offset: i * rows * cols, rows, cols, rowStride: cols, colStride: 1 },
      { data: left, offset: i * rows * inner, rows, cols: inner, rowStride: inner, colStride: 1 },
      { data: right, offset: i * inner * cols, rows: inner, cols, rowStride: cols, colStride: 1 },
    );
  }
  return { dims: [...batch, rows, cols], data: out };
}

function softmax(a: Float64Tensor): Float64Tensor {
  const exponentials = elementwise([a, float64Port.max(a, [-1])], (x, largest) => Math.exp(x - largest));
  const width = a.dims.at(-1) as number;
  for (let start = 0; start < exponentials.data.length; start += width) {
    const row = exponentials.data.subarray(start, start + width);
    const sum = row.reduce((total, x) => total + x, 0);
    for (let i = 0; i < width; i++) row[i] = (row[i] as number) / sum;
  }
  return exponentials;
}

/** One number for each row over `axes`, which stay as axes of size 1. */
function reduced(a: Float64Tensor, axes: readonly number[], combine: (row: Float64Array) => number): Float64Tensor {
  const places = axes.map((axis) => (axis < 0 ? axis + a.dims.length : axis));
  const kept = a.dims.map((_, axis) => axis).filter((axis) => !places.includes(axis));
  const rows = transpose(a, [...kept, ...places]).data;
  const dims = a.dims.map((dim, axis) => (places.includes(axis) ? 1 : dim));
  const width = sizeOf(places.map((axis) => a.dims[axis] as number));
  const data = new Float64Array(sizeOf(dims));
  for (let i = 0; i < data.length; i++) data[i] = combine(rows.subarray(i * width, (i + 1) * width));
  return { dims, data };
}
