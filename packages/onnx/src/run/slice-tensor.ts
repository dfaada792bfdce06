import { fillHostTensor, type HostTensor, hostNumbers } from './host-tensor.js';

/** The part of a tensor from one place of an axis to before another. */
export function sliceTensor(tensor: HostTensor, axis: number, start: number, end: number): HostTensor {
  const { dtype, dims } = tensor;
  if (dtype === 'string') throw new TypeError('tensors of strings are not cut');
  const inner = dims.slice(axis + 1).reduce((product, dim) => product * dim, 1);
  const [length, count] = [dims[axis] as number, end - start];
  const numbers = dtype === 'float16' ? hostNumbers(tensor) : tensor.data;
  return fillHostTensor(dtype, dims.with(axis, count), (place) => {
    const [outer, within] = [Math.floor(place / (count * inner)), place % (count * inner)];
    return numbers[outer * length * inner + start * inner + within] as number | bigint;
  });
}
