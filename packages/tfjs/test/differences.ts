import { type Float64Tensor, float64Tensor } from '@mhe/core';

/** Central differences of `loss` in every number of one input, or in those at some places alone. */
export function differences(
  inputs: readonly Float64Tensor[],
  position: number,
  loss: (inputs: readonly Float64Tensor[]) => number,
  places?: readonly number[],
): Float64Tensor {
  const input = inputs[position] as Float64Tensor;
  const step = 1e-5;
  const moved = (i: number, by: number) => {
    const data = input.data.slice();
    data[i] = (data[i] as number) + by;
    return loss(inputs.map((other, p) => (p === position ? float64Tensor(data, input.dims) : other)));
  };
  const slopes = Float64Array.from(places ?? input.data.keys(), (i) => (moved(i, step) - moved(i, -step)) / (2 * step));
  return float64Tensor(slopes, places ? [places.length] : input.dims);
}
