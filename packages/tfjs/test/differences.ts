import { type Float64Tensor, float64Tensor } from '@mhe/core';

/** Central differences of `loss` in every number of one input. */
export function differences(
  inputs: readonly Float64Tensor[],
  position: number,
  loss: (inputs: readonly Float64Tensor[]) => number,
): Float64Tensor {
  const input = inputs[position] as Float64Tensor;
  const step = 1e-5;
  const moved = (i: number, by: number) => {
    const data = input.data.slice();
    data[i] = (data[i] as number) + by;
    return loss(inputs.map((other, p) => (p === position ? float64Tensor(data, input.dims) : other)));
  };
  return float64Tensor(
    input.data.map((_, i) => (moved(i, step) - moved(i, -step)) / (2 * step)),
    input.dims,
  );
}
