import type { Tensor } from '@tensorflow/tfjs-core';
import type { SymbolicTensor } from '@tensorflow/tfjs-layers';
import type { Layer } from './tfjs-layers.js';

/**
 * Arguments of a call of an attention layer, `layer.apply(query, { value })`; names and meaning are Keras'. In a
 * functional model they hold whenever the model runs.
 */
export interface AttentionCallArgs {
  /** `[batch, keys, valueDim]`. Default: the query, which is self-attention. */
  readonly value?: Tensor | SymbolicTensor | null;
  /** `[batch, keys, keyDim]`. Default: the value. */
  readonly key?: Tensor | SymbolicTensor | null;
  /** True or 1 where a query may see a key: `[batch, queries, keys]`, `[queries, keys]` or `[batch, heads, queries, keys]`. */
  readonly attentionMask?: Tensor | SymbolicTensor | null;
  /** Hides from query `i` the keys after `i`. Default false. */
  readonly useCausalMask?: boolean | null;
  /** Also returns the probabilities, `[batch, heads, queries, keys]`, as they are before dropout. Default false. */
  readonly returnAttentionScores?: boolean | null;
  /** Whether dropout acts. tfjs sets it in `fit`. Default false. */
  readonly training?: boolean | null;
  /**
   * Keras masks, `[batch, length]`, true for what is there: of the query, or of query, value and key, in this order.
   * Default: the `kerasMask` of each tensor. In a functional model tfjs passes them on; see {@link AttentionLayer}.
   */
  readonly mask?: Tensor | readonly (Tensor | null)[] | null;
}

/** Arguments that a functional model remembers: all that are no tensors. */
export type RememberedArgs = Pick<AttentionCallArgs, 'useCausalMask' | 'returnAttentionScores' | 'training'>;

/** Of the arguments of a call, those that are no tensors and were given. */
export function rememberedArgs({ useCausalMask, returnAttentionScores, training }: AttentionCallArgs): RememberedArgs {
  return {
    ...(useCausalMask != null && { useCausalMask }),
    ...(returnAttentionScores != null && { returnAttentionScores }),
    ...(training != null && { training }),
  };
}

/**
 * Lets the last use of a layer give out its call arguments as copies. tfjs 4.22 writes the mask of the first run of a
 * nested model into them, and reads it, disposed by then, in the second.
 */
export function keepCallArgsFresh(layer: Layer): void {
  const node = layer.inboundNodes.at(-1);
  if (!node) return;
  const args = { ...node.callArgs };
  Object.defineProperty(node, 'callArgs', { get: () => ({ ...args }) });
}
