import { broadcastDims, broadcastTo, type Float64Tensor } from './tensor.js';

/** Applies a function to the elements of one to three tensors that lie at the same place once they are broadcast. */
export function elementwise(
  operands: readonly Float64Tensor[],
  apply: (x: number, y: number, z: number) => number,
): Float64Tensor {
  const dims = broadcastDims(operands.map((operand) => operand.dims));
  const arrays = operands.map((operand) => broadcastTo(operand, dims).data);
  const [x, y = x, z = x] = arrays as [Float64Array, Float64Array?, Float64Array?];
  const data = new Float64Array(x.length);
  for (let i = 0; i < data.length; i++) data[i] = apply(x[i] as number, y[i] as number, z[i] as number);
  return { dims, data };
}
