import { type Float64Tensor, float64Tensor, readStrided, sizeOf, stridesOf } from './tensor.js';

/** As ONNX `Reshape`: 0 copies the input's dimension at that place, -1 (once) is inferred. Shares the data. */
export function reshape(a: Float64Tensor, dims: readonly number[]): Float64Tensor {
  const copied = dims.map((dim, axis) => (dim === 0 ? (a.dims[axis] as number) : dim));
  const known = sizeOf(copied.filter((dim) => dim !== -1));
  return float64Tensor(
    a.data,
    copied.map((dim) => (dim === -1 ? a.data.length / known : dim)),
  );
}

/** Inserts axes of size 1 at these places of the result. Shares the data. */
export function unsqueeze(a: Float64Tensor, axes: readonly number[]): Float64Tensor {
  const rank = a.dims.length + axes.length;
  const added = new Set(axes.map((axis) => (axis < 0 ? axis + rank : axis)));
  const remaining = [...a.dims];
  return {
    data: a.data,
    dims: Array.from({ length: rank }, (_, axis) => (added.has(axis) ? 1 : (remaining.shift() as number))),
  };
}

/** Axis `i` of the result is axis `permutation[i]` of the input. */
export function transpose(a: Float64Tensor, permutation: readonly number[]): Float64Tensor {
  const strides = stridesOf(a.dims);
  return readStrided(
    a.data,
    permutation.map((axis) => a.dims[axis] as number),
    permutation.map((axis) => strides[axis] as number),
  );
}

/** Joins tensors that differ in this axis only. */
export function concat(parts: readonly Float64Tensor[], axis: number): Float64Tensor {
  const [first] = parts as [Float64Tensor];
  const at = axis < 0 ? axis + first.dims.length : axis;
  const outer = sizeOf(first.dims.slice(0, at));
  const size = parts.reduce((total, part) => total + (part.dims[at] as number), 0);
  const rows = Array.from({ length: outer }, (_, o) => parts.map((part) => rowOf(part, outer, o)));
  const data = new Float64Array(parts.reduce((total, part) => total + part.data.length, 0));
  let written = 0;
  for (const row of rows.flat()) {
    data.set(row, written);
    written += row.length;
  }
  return float64Tensor(data, first.dims.with(at, size));
}

/** Cuts an axis into consecutive parts of the given sizes. */
export function split(a: Float64Tensor, sizes: readonly number[], axis: number): Float64Tensor[] {
  const at = axis < 0 ? axis + a.dims.length : axis;
  const total = sizes.reduce((sum, size) => sum + size, 0);
  if (total !== a.dims[at]) {
    throw new RangeError(`split: sizes [${sizes.join(', ')}] do not add up to axis ${axis} of [${a.dims.join(', ')}]`);
  }
  let start = 0;
  return sizes.map((size) => {
    const indices = Array.from({ length: size }, (_, i) => start + i);
    start += size;
    return gather(a, indices, at);
  });
}

/** Picks positions of an axis. */
export function gather(a: Float64Tensor, indices: readonly number[], axis: number): Float64Tensor {
  const at = axis < 0 ? axis + a.dims.length : axis;
  const outer = sizeOf(a.dims.slice(0, at));
  const inner = sizeOf(a.dims.slice(at + 1));
  const data = new Float64Array(outer * indices.length * inner);
  for (let o = 0; o < outer; o++) {
    const row = rowOf(a, outer, o);
    indices.forEach((index, i) => {
      data.set(row.subarray(index * inner, (index + 1) * inner), (o * indices.length + i) * inner);
    });
  }
  return float64Tensor(data, a.dims.with(at, indices.length));
}

function rowOf(a: Float64Tensor, outer: number, index: number): Float64Array {
  const size = a.data.length / outer;
  return a.data.subarray(index * size, (index + 1) * size);
}
