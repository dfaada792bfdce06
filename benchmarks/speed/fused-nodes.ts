import type { AttentionWeights, Matrix } from '@mhe/core';
import { projectionNodes } from '../graph/attention-nodes.js';
import type { GraphBuilder } from '../graph/graph-builder.js';

const contributed = 'com.microsoft';

/** ONNX Runtime's MultiHeadAttention operator: projections outside it, their biases inside, its usual scale. */
export function fusedMultiHeadAttentionNodes(builder: GraphBuilder, stream: string, weights: AttentionWeights): string {
  const { numHeads, query, key, value, output } = weights;
  const products = [query, key, value].map((projection) =>
    projectionNodes(builder, stream, { ...projection, bias: null }),
  );
  const bias = builder.floats([packedBias(weights).length], packedBias(weights));
  const attributes = { num_heads: numHeads };
  const merged = builder.node('MultiHeadAttention', [...products, bias], { attributes, domain: contributed });
  return projectionNodes(builder, merged, output);
}

/** ONNX Runtime's Attention operator, projections inside it. */
export function fusedAttentionNodes(builder: GraphBuilder, stream: string, weights: AttentionWeights): string {
  const { rows, cols, data } = packedWeight(weights);
  const inputs = [stream, builder.floats([rows, cols], data), builder.floats([cols], packedBias(weights))];
  const attributes = { num_heads: weights.numHeads };
  const merged = builder.node('Attention', inputs, { attributes, domain: contributed });
  return projectionNodes(builder, merged, weights.output);
}

/** Query, key and value weights side by side. */
function packedWeight({ query, key, value }: AttentionWeights): Matrix {
  const parts = [query.weight, key.weight, value.weight];
  const { rows } = query.weight;
  const cols = parts.reduce((total, part) => total + part.cols, 0);
  const data = new Float64Array(rows * cols);
  let start = 0;
  for (const part of parts) {
    for (let row = 0; row < rows; row++) {
      data.set(part.data.subarray(row * part.cols, (row + 1) * part.cols), row * cols + start);
    }
    start += part.cols;
  }
  return { rows, cols, data };
}

function packedBias({ query, key, value }: AttentionWeights): Float64Array {
  return Float64Array.from([query, key, value].flatMap(({ bias }) => [...(bias ?? [])]));
}
