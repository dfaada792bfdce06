import { MultiHeadAttention, type MultiHeadAttentionArgs } from './multi-head-attention-layer.js';
import { registerLayers } from './register-layers.js';

/**
 * A layer of multi-head attention as Keras has it, which tfjs keeps to itself: to train with, and to load converted
 * Keras models into.
 *
 * ```ts
 * const attended = multiHeadAttention({ numHeads: 8, keyDim: 64 }).apply([query, value]);
 * ```
 *
 * @throws Error when an argument is not what it should be.
 */
export function multiHeadAttention(args: MultiHeadAttentionArgs): MultiHeadAttention {
  registerLayers();
  return new MultiHeadAttention(args);
}
