import type { NumberTensor } from '@mhe/core';
import type { HostTensor } from '../run/host-tensor.js';
import { hostNumbers } from '../run/host-tensor.js';

/** A tensor's numbers, for core; not copied where JavaScript reads them as they are. */
export function numberTensor(tensor: HostTensor): NumberTensor {
  const { dtype, dims, data } = tensor;
  return { dims, numbers: dtype === 'float32' || dtype === 'float64' ? data : hostNumbers(tensor) };
}
