import type { TensorPort } from '@mhe/core';
import type { NodeBuilder } from './node-builder.js';

/** Rank of every tensor that the attention forms take a softmax of: `[batch, heads, queries, keys]`. */
const SCORE_RANK = 4;

/** The tensor port whose operations are nodes: each call adds one, in the form that the model's operator set has. */
export function onnxPort(builder: NodeBuilder): TensorPort<string> {
  const { opset } = builder.target;
  const binary = (opType: string) => (a: string, b: string) => builder.node(opType, [a, b]);
  const reduced = (opType: string) => (a: string, axes: readonly number[]) =>
    opset < 18
      ? builder.node(opType, [a], { axes, keepdims: 1 })
      : builder.node(opType, [a, builder.integers(axes, 'axes')], { keepdims: 1 });
  return {
    constant: (values, dims) => builder.float(values, dims),
    add: binary('Add'),
    sub: binary('Sub'),
    mul: binary('Mul'),
    div: binary('Div'),
    exp: (a) => builder.node('Exp', [a]),
    sqrt: (a) => builder.node('Sqrt', [a]),
    where: (condition, a, b) => builder.node('Where', [condition, a, b]),
    isNaN: (a) => builder.node('IsNaN', [a]),
    matMul: binary('MatMul'),
    softmax: (a) => builder.node('Softmax', [a], { axis: opset < 13 ? SCORE_RANK - 1 : -1 }),
    max: reduced('ReduceMax'),
    mean: reduced('ReduceMean'),
    reshape: (a, dims) => builder.node('Reshape', [a, builder.integers(dims, 'shape')]),
    unsqueeze: (a, axes) =>
      opset < 13
        ? builder.node('Unsqueeze', [a], { axes })
        : builder.node('Unsqueeze', [a, builder.integers(axes, 'axes')]),
    transpose: (a, permutation) => builder.node('Transpose', [a], { perm: permutation }),
    concat: (parts, axis) => builder.node('Concat', parts, { axis }),
    split: (a, sizes, axis) =>
      opset < 13
        ? builder.nodeOf('Split', [a], sizes.length, { axis, split: sizes })
        : builder.nodeOf('Split', [a, builder.integers(sizes, 'sizes')], sizes.length, { axis }),
    gather: (a, indices, axis) => builder.node('Gather', [a, builder.integers(indices, 'indices')], { axis }),
  };
}
