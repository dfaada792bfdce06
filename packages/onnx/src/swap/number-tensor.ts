import type { NumberTensor } from '@mhe/core';
import type { HostTensor } from '../run/host-tensor.js';
import { hostNumbers } from '../run/host-tensor.js';

/** A tensor's numbers, for core. */
export function numberTensor(tensor: HostTensor): NumberTensor {
  return { dims: tensor.dims, numbers: hostNumbers(tensor) };
}
