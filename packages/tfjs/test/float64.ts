// Between tfjs tensors and core's float64 arrays.
import { type Float64Tensor, float64Tensor, type SeededRandom } from '@mhe/core';
import { type DataTypeMap, type Tensor, tensor } from '@tensorflow/tfjs-core';

/** Float32 values, so that what tfjs gets and what float64 gets are the same numbers. */
export function randomFloat64(dims: readonly number[], random: SeededRandom, scale = 1): Float64Tensor {
  const size = dims.reduce((product, dim) => product * dim, 1);
  return float64Tensor(
    Float64Array.from({ length: size }, () => Math.fround(scale * random.normal())),
    dims,
  );
}

export function toTfjs({ data, dims }: Float64Tensor): Tensor {
  return tensor(Float32Array.from(data), [...dims], 'float32');
}

/** Reads a tensor, asynchronously as WebGPU asks for. */
export async function toFloat64(a: Tensor): Promise<Float64Tensor> {
  const values = (await a.data()) as DataTypeMap['float32'];
  return float64Tensor(Float64Array.from(values), a.shape);
}
