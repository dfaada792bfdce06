import { type AttentionDimensions, exactDimensions } from './dimensions.js';
import { type AttentionKind, projectionBlocks } from './kind.js';

/** Number formats of stored weights, activations and caches. */
export type DataType = 'float64' | 'float32' | 'float16' | 'bfloat16' | 'int8' | 'uint8' | 'int4';

const bits: Record<DataType, bigint> = {
  float64: 64n,
  float32: 32n,
  float16: 16n,
  bfloat16: 16n,
  int8: 8n,
  uint8: 8n,
  int4: 4n,
};

/** Bytes that this many elements take; two `int4` share a byte. Scales of quantised formats are not counted. */
export function countBytes(elements: bigint, type: DataType): bigint {
  return (elements * bits[type] + 7n) / 8n;
}

/**
 * Bytes of keys and values that a decoder keeps for every token of a sequence, in all layers. MHE caches the shared keys
 * and values, before the embeddings: `(Gqk headDim + Gv valueHeadDim)` elements where MHA has `n` of each.
 */
export function countCacheBytesPerToken(
  options: AttentionDimensions & AttentionKind & { readonly type: DataType },
): bigint {
  const dims = exactDimensions(options);
  const { key, value } = projectionBlocks(options, dims);
  return countBytes(dims.numLayers * (key * dims.headDim + value * dims.valueHeadDim), options.type);
}
