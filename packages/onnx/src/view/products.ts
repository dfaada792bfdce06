import type { ViewNode } from '@mhe/core';
import { floatAttribute, intAttribute, intsAttribute, stringAttribute } from './attributes.js';
import type { Family, Translation } from './translation.js';
import { constantNode, inner, same } from './translation.js';

/** Operators that multiply two tensors over shared axes. */
export const products: Family = {
  MatMul: (t) => same(t, { kind: 'matmul', transposeA: false, transposeB: false }),
  Gemm: gemm,
  Einsum: einsum,
  Conv: pointwiseConvolution,
};

/** `alpha A' B' + beta C`. */
function gemm(t: Translation): readonly ViewNode[] {
  const { node, source } = t;
  const [a = '', b = '', c = ''] = node.input;
  const transposeA = intAttribute(node, 'transA', 0) === 1;
  const transposeB = intAttribute(node, 'transB', 0) === 1;
  const factors = { alpha: floatAttribute(node, 'alpha', 1), beta: floatAttribute(node, 'beta', 1) };
  const nodes: ViewNode[] = [];
  let last = inner(t, 'product');
  nodes.push({ operator: { kind: 'matmul', transposeA, transposeB }, inputs: [a, b], outputs: [last], source });
  const scaled = (value: string, part: 'alpha' | 'beta') => {
    if (factors[part] === 1) return value;
    const id = inner(t, part);
    nodes.push(constantNode(t, id, [factors[part]], []));
    nodes.push({ operator: { kind: 'binary', name: 'mul' }, inputs: [value, id], outputs: [`${id}*`], source });
    return `${id}*`;
  };
  last = scaled(last, 'alpha');
  if (c) {
    nodes.push({
      operator: { kind: 'binary', name: 'add' },
      inputs: [last, scaled(c, 'beta')],
      outputs: node.output,
      source,
    });
  } else {
    nodes.push({ operator: { kind: 'identity' }, inputs: [last], outputs: node.output, source });
  }
  return nodes;
}

/** Two operands, no ellipsis; an implicit result is spelt out. */
function einsum(t: Translation): readonly ViewNode[] | undefined {
  const equation = stringAttribute(t.node, 'equation', '').replaceAll(' ', '');
  if (t.node.input.length !== 2 || equation.includes('.')) return undefined;
  if (equation.includes('->')) return same(t, { kind: 'einsum', equation });
  const letters = [...equation.replace(',', '')];
  const once = letters.filter((letter) => letters.indexOf(letter) === letters.lastIndexOf(letter)).sort();
  return same(t, { kind: 'einsum', equation: `${equation}->${once.join('')}` });
}

/** A convolution whose kernel is one point wide: a product over the channels. */
function pointwiseConvolution(t: Translation): readonly ViewNode[] | undefined {
  const { node, source } = t;
  const [x = '', weight = '', bias = ''] = node.input;
  const dims = t.constantDims(weight);
  const all = (name: string, wanted: number) => intsAttribute(node, name)?.every((value) => value === wanted) ?? true;
  const isPoint = dims?.slice(2).every((dim) => dim === 1);
  const padding = stringAttribute(node, 'auto_pad', 'NOTSET');
  if (!dims || !isPoint || intAttribute(node, 'group', 1) !== 1 || !all('strides', 1) || !all('pads', 0))
    return undefined;
  if (padding !== 'NOTSET' && padding !== 'VALID' && !padding.startsWith('SAME')) return undefined;
  if (!bias) return same(t, { kind: 'pointwise' }, [x, weight]);
  const [product, axes, column] = [inner(t, 'product'), inner(t, 'axes'), inner(t, 'bias')];
  const space = dims.slice(2).map((_, axis) => axis + 1);
  return [
    { operator: { kind: 'pointwise' }, inputs: [x, weight], outputs: [product], source },
    constantNode(t, axes, space, [space.length]),
    { operator: { kind: 'unsqueeze' }, inputs: [bias, axes], outputs: [column], source },
    { operator: { kind: 'binary', name: 'add' }, inputs: [product, column], outputs: node.output, source },
  ];
}
