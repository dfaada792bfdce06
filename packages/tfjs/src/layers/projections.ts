import type { Heads, Matrix, Projection } from '@mhe/core';
import { add, reshape, type Tensor, type Tensor3D, transpose } from '@tensorflow/tfjs-core';
import type { LayerVariable } from '@tensorflow/tfjs-layers';
import { tfjsPort } from '../port/tfjs-port.js';

/** The variables of one projection. */
export interface ProjectionVariables {
  /** `[inputDim, count, size]`; of the output projection `[numHeads, valueHeadDim, ...outputDims]`. */
  readonly kernel: LayerVariable;
  /** The kernel's axes but those that are summed over; `null` where there is none. */
  readonly bias: LayerVariable | null;
}

/** `[batch, length, inputDim]` to heads, or groups of them: `[batch, count, length, size]`. */
export function projectHeads(stream: Tensor3D, { kernel, bias }: ProjectionVariables): Heads<Tensor> {
  const [inputDim, count, size] = kernel.shape as [number, number, number];
  const [batch, length] = stream.shape;
  const projected = affine(stream, reshape(kernel.read(), [inputDim, count * size]), bias);
  if (count === 1) return { tensor: reshape(projected, [batch, 1, length, size]), count };
  return { tensor: transpose(reshape(projected, [batch, length, count, size]), [0, 2, 1, 3]), count };
}

/** `[batch, length, numHeads, valueHeadDim]` to the output, `[batch, length, product of outputDims]`. */
export function projectOutput(context: Tensor, { kernel, bias }: ProjectionVariables): Tensor {
  const [batch, length, numHeads, size] = context.shape as [number, number, number, number];
  const merged = reshape(context, [batch, length, numHeads * size]);
  return affine(merged, reshape(kernel.read(), [numHeads * size, -1]), bias);
}

/** `x W + b` for a matrix `W`. */
function affine(stream: Tensor, matrix: Tensor, bias: LayerVariable | null): Tensor {
  const product = tfjsPort.matMul(stream, matrix);
  return bias ? add(product, reshape(bias.read(), [-1])) : product;
}

/** A projection of a stream in numbers: kernel `[inputDim, count, size]` as `[inputDim, count * size]`. */
export async function inputProjection({ kernel, bias }: ProjectionVariables): Promise<Projection> {
  return projection(await matrixOf(kernel, kernel.shape[0] as number), bias);
}

/** The output projection in numbers: `[numHeads * valueHeadDim, product of outputDims]`. */
export async function outputProjection({ kernel, bias }: ProjectionVariables): Promise<Projection> {
  const [numHeads, size] = kernel.shape as [number, number];
  return projection(await matrixOf(kernel, numHeads * size), bias);
}

/** A variable's numbers as a matrix of so many rows. */
export async function matrixOf(variable: LayerVariable, rows: number): Promise<Matrix> {
  const data = Float64Array.from(await variable.read().data());
  return { rows, cols: data.length / rows, data };
}

async function projection(weight: Matrix, bias: LayerVariable | null): Promise<Projection> {
  return { weight, bias: bias && Float64Array.from(await bias.read().data()) };
}
