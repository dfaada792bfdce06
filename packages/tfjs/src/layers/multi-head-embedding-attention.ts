import {
  MultiHeadEmbeddingAttention,
  type MultiHeadEmbeddingAttentionArgs,
} from './multi-head-embedding-attention-layer.js';
import { registerLayers } from './register-layers.js';

/**
 * A layer of multi-head-embedding attention: heads that share their query, key and value projections and differ by
 * vectors of their own.
 *
 * ```ts
 * const attended = multiHeadEmbeddingAttention({ numHeads: 8, headDim: 64, causal: true }).apply(tokens);
 * ```
 *
 * @throws Error when an argument is not what it should be.
 * @throws FormError when a form is asked for that cannot express the layer.
 */
export function multiHeadEmbeddingAttention(args: MultiHeadEmbeddingAttentionArgs): MultiHeadEmbeddingAttention {
  registerLayers();
  return new MultiHeadEmbeddingAttention(args);
}
