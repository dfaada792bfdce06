import type { Matrix, NumberTensor } from '@mhe/core';
import type { HostTensor } from '../run/host-tensor.js';
import { hostNumbers } from '../run/host-tensor.js';

/** Adds a matrix that the runtime computed to a float64 sum; `undefined` starts one. */
export function addMatrix(sum: Matrix | undefined, tensor: HostTensor): Matrix {
  const [rows = 1, cols = 1] = tensor.dims;
  // Moments come in float32, thousands of them: they are added as they are, without a copy.
  const numbers = tensor.dtype === 'float32' ? tensor.data : hostNumbers(tensor);
  if (!sum) return { rows, cols, data: new Float64Array(numbers) };
  const { data } = sum;
  for (let i = 0; i < data.length; i++) data[i] = (data[i] as number) + (numbers[i] as number);
  return sum;
}

/** A tensor's numbers, for core. */
export function numberTensor(tensor: HostTensor): NumberTensor {
  return { dims: tensor.dims, numbers: hostNumbers(tensor) };
}
