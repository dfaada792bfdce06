import type { Projection, SeededRandom } from '@mhe/core';

/** A projection drawn so that its outputs are about as large as its inputs; the bias is smaller. */
export function randomProjection(random: SeededRandom, inputDim: number, outputDim: number): Projection {
  const reach = Math.sqrt(3 / inputDim);
  const draw = (count: number, limit: number) =>
    Float64Array.from({ length: count }, () => (2 * random.uniform() - 1) * limit);
  return {
    weight: { rows: inputDim, cols: outputDim, data: draw(inputDim * outputDim, reach) },
    bias: draw(outputDim, 0.1),
  };
}
