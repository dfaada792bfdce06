import type { AttentionWeights, Projection } from '@mhe/core';
import type { GraphBuilder } from './graph-builder.js';

/** `x W + b`, as a product and an addition. */
export function projectionNodes(builder: GraphBuilder, stream: string, { weight, bias }: Projection): string {
  const product = builder.node('MatMul', [stream, builder.floats([weight.rows, weight.cols], weight.data)]);
  return bias ? builder.node('Add', [builder.floats([weight.cols], bias), product]) : product;
}

/**
 * Multi-head self-attention in plain operators, node for node as PyTorch exports BERT's: three projections, heads
 * transposed to an axis of their own, the scores divided by the square root of the head size.
 *
 * @param mask - name of an additive mask that broadcasts to the scores.
 * @param sharedKeys - how many heads `weights.key` and `weights.value` have: 1 makes it multi-query attention.
 */
export function attentionNodes(
  builder: GraphBuilder,
  stream: string,
  weights: AttentionWeights,
  { mask, sharedKeys = false }: { readonly mask?: string; readonly sharedKeys?: boolean } = {},
): string {
  const { numHeads, headDim, valueHeadDim, scale, query, key, value, output } = weights;
  const heads = (projection: Projection, count: number, size: number, perm: readonly number[]) => {
    const projected = projectionNodes(builder, stream, projection);
    const split = builder.node('Reshape', [projected, builder.integers([0, 0, count, size])]);
    return builder.node('Transpose', [split], { attributes: { perm } });
  };
  const keyHeads = sharedKeys ? 1 : numHeads;
  const queries = heads(query, numHeads, headDim, [0, 2, 1, 3]);
  const values = heads(value, keyHeads, valueHeadDim, [0, 2, 1, 3]);
  const keys = heads(key, keyHeads, headDim, [0, 2, 3, 1]);
  const product = builder.node('MatMul', [queries, keys]);
  const scaled = builder.node('Div', [product, builder.floats([], Float64Array.of(1 / scale))]);
  const scores = mask === undefined ? scaled : builder.node('Add', [scaled, mask]);
  const probabilities = builder.node('Softmax', [scores], { attributes: { axis: -1 } });
  const context = builder.node('MatMul', [probabilities, values]);
  const headsLast = builder.node('Transpose', [context], { attributes: { perm: [0, 2, 1, 3] } });
  const merged = builder.node('Reshape', [headsLast, builder.integers([0, 0, numHeads * valueHeadDim])]);
  return projectionNodes(builder, merged, output);
}
