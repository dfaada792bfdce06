import type { ViewNode } from '@mhe/core';
import {
  boolAttribute,
  intAttribute,
  intsAttribute,
  stringAttribute,
  stringsAttribute,
} from '../graph-model/attributes.js';
import type { Family, Translation } from './translation.js';
import { each, inner, same, step } from './translation.js';

/** Operators that multiply two tensors over shared axes. */
export const products: Family = {
  MatMul: (t) => same(t, matmul(t, 'transpose_a', 'transpose_b'), t.inputs.slice(0, 2)),
  _FusedMatMul: (t) => fused(t, [step(t, matmul(t, 'transpose_a', 'transpose_b'), t.inputs.slice(0, 2), product(t))]),
  ...each(
    ['BatchMatMul', 'BatchMatMulV2', 'BatchMatMulV3'],
    () => (t) => same(t, matmul(t, 'adj_x', 'adj_y'), t.inputs.slice(0, 2)),
  ),
  Einsum: einsum,
  Conv2D: (t) => (isPointwise(t) ? same(t, plainProduct, t.inputs.slice(0, 2)) : undefined),
  Conv1D: (t) => (isPointwise(t) ? same(t, plainProduct, t.inputs.slice(0, 2)) : undefined),
  _FusedConv2D: (t) =>
    isPointwise(t) ? fused(t, [step(t, plainProduct, t.inputs.slice(0, 2), product(t))]) : undefined,
};

/** Channels last, times a kernel of `[1, 1, channels, out]`: a product over the channels. */
const plainProduct = { kind: 'matmul', transposeA: false, transposeB: false } as const;

function matmul({ node }: Translation, a: string, b: string) {
  return { kind: 'matmul', transposeA: boolAttribute(node, a), transposeB: boolAttribute(node, b) } as const;
}

function product(t: Translation): string {
  return inner(t, 'product');
}

/** What is fused behind a product: a bias, then perhaps an activation. */
function fused(t: Translation, nodes: readonly ViewNode[]): readonly ViewNode[] | undefined {
  const [first, second, ...rest] = stringsAttribute(t.node, 'fused_ops');
  if (rest.length > 0 || (first !== 'BiasAdd' && second !== undefined)) return undefined;
  if (first === undefined) return [...nodes, ...same(t, { kind: 'identity' }, [product(t)])];
  if (first !== 'BiasAdd') return [...nodes, ...same(t, { kind: 'unary', name: first }, [product(t)])];
  const add = { kind: 'binary', name: 'add' } as const;
  const operands = [product(t), t.inputs[2] ?? ''];
  if (second === undefined) return [...nodes, ...same(t, add, operands)];
  const biased = inner(t, 'biased');
  return [...nodes, step(t, add, operands, biased), ...same(t, { kind: 'unary', name: second }, [biased])];
}

/** Two operands, no ellipsis; an implicit result is spelt out. */
function einsum(t: Translation): readonly ViewNode[] | undefined {
  const equation = stringAttribute(t.node, 'equation', '').replaceAll(' ', '');
  if (t.inputs.length !== 2 || equation.includes('.')) return undefined;
  if (equation.includes('->')) return same(t, { kind: 'einsum', equation });
  const letters = [...equation.replace(',', '')];
  const once = letters.filter((letter) => letters.indexOf(letter) === letters.lastIndexOf(letter)).sort();
  return same(t, { kind: 'einsum', equation: `${equation}->${once.join('')}` });
}

/** Whether a convolution looks at one position at a time. Channels first is no format that all backends run. */
function isPointwise({ node, inputs, constantDims }: Translation): boolean {
  const dims = constantDims(inputs[1] ?? '');
  const isOne = (list: readonly number[] | undefined) => list?.every((value) => value === 1) ?? true;
  const stride = intAttribute(node, 'stride', 1);
  const format = stringAttribute(node, 'data_format', 'NHWC');
  return (
    dims !== undefined &&
    isOne(dims.slice(0, -2)) &&
    isOne(intsAttribute(node, 'strides')) &&
    stride === 1 &&
    !format.startsWith('NC') &&
    ['VALID', 'SAME'].includes(stringAttribute(node, 'padding', 'VALID'))
  );
}
