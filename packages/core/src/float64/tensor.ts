/** A dense float64 tensor, row-major: the last axis runs fastest. */
export interface Float64Tensor {
  readonly dims: readonly number[];
  readonly data: Float64Array;
}

/**
 * A tensor over these numbers, which are not copied.
 *
 * @throws RangeError when the dimensions do not multiply to the length of the data.
 */
export function float64Tensor(data: Float64Array, dims: readonly number[]): Float64Tensor {
  if (sizeOf(dims) !== data.length) {
    throw new RangeError(`tensor: dimensions [${dims.join(', ')}] hold ${sizeOf(dims)} numbers, got ${data.length}`);
  }
  return { dims, data };
}

/** Number of elements of a tensor of these dimensions. */
export function sizeOf(dims: readonly number[]): number {
  return dims.reduce((product, dim) => product * dim, 1);
}

/** Distance in the data between neighbours along each axis. */
export function stridesOf(dims: readonly number[]): number[] {
  const strides = new Array<number>(dims.length);
  let stride = 1;
  for (let axis = dims.length - 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= dims[axis] as number;
  }
  return strides;
}

/** Copies what `data` shows when it is read with any strides: transposed, say, or repeated where a stride is 0. */
export function readStrided(data: Float64Array, dims: readonly number[], strides: readonly number[]): Float64Tensor {
  const out = new Float64Array(sizeOf(dims));
  let written = 0;
  function read(axis: number, from: number): void {
    if (axis === dims.length) {
      out[written++] = data[from] as number;
      return;
    }
    for (let i = 0; i < (dims[axis] as number); i++) read(axis + 1, from + i * (strides[axis] as number));
  }
  read(0, 0);
  return { dims, data: out };
}

/** The dimensions that these broadcast to, by NumPy's rule. */
export function broadcastDims(all: readonly (readonly number[])[]): number[] {
  const rank = Math.max(...all.map((dims) => dims.length));
  return Array.from({ length: rank }, (_, axis) => {
    const sizes = all.map((dims) => dims[axis - rank + dims.length] ?? 1).filter((size) => size !== 1);
    if (new Set(sizes).size > 1) {
      throw new RangeError(`tensor: cannot broadcast ${all.map((dims) => `[${dims.join(', ')}]`).join(' and ')}`);
    }
    return sizes[0] ?? 1;
  });
}

/** The tensor repeated to these dimensions, by NumPy's rule. */
export function broadcastTo(tensor: Float64Tensor, dims: readonly number[]): Float64Tensor {
  const missing = dims.length - tensor.dims.length;
  const own = stridesOf(tensor.dims);
  const strides = dims.map((_, axis) =>
    axis < missing || tensor.dims[axis - missing] === 1 ? 0 : (own[axis - missing] as number),
  );
  return readStrided(tensor.data, dims, strides);
}
