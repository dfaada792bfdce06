import type { TensorPort } from '@mhe/core';
import {
  add,
  concat,
  div,
  exp,
  isNaN as isNotANumber,
  max,
  mean,
  mul,
  reshape,
  softmax,
  split,
  sqrt,
  sub,
  type Tensor,
  tensor,
  transpose,
  where,
} from '@tensorflow/tfjs-core';
import { gather } from './gather.js';
import { broadcastMatMul } from './mat-mul.js';
import { copiedDims } from './reshape-dims.js';

/**
 * TensorFlow.js' interpretation of the tensor port: it computes on the current backend, in float32, and everything in
 * it has a gradient. Truth tensors are of type `bool`. As in tfjs, the caller tidies.
 */
export const tfjsPort: TensorPort<Tensor> = {
  constant: (values, dims) => tensor(Float32Array.from(values), [...dims], 'float32'),
  add,
  sub,
  mul,
  div,
  exp,
  sqrt,
  where,
  isNaN: isNotANumber,
  matMul: broadcastMatMul,
  softmax: (a) => softmax(a),
  max: (a, axes) => max(a, [...axes], true),
  mean: (a, axes) => mean(a, [...axes], true),
  reshape: (a, dims) => reshape(a, copiedDims(a.shape, dims)),
  unsqueeze: (a, axes) => reshape(a, withOnes(a.shape, axes)),
  transpose: (a, permutation) => transpose(a, [...permutation]),
  concat: (parts, axis) => concat([...parts], axis),
  split: (a, sizes, axis) => split(a, [...sizes], axis),
  gather,
};

/** The shape with axes of size 1 at these places of the result. */
function withOnes(shape: readonly number[], axes: readonly number[]): number[] {
  const rank = shape.length + axes.length;
  const places = axes.map((axis) => (axis < 0 ? axis + rank : axis));
  const kept = [...shape];
  return Array.from({ length: rank }, (_, axis) => (places.includes(axis) ? 1 : (kept.shift() as number)));
}
