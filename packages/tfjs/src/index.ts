// Layers to train with.

export type { LayerForm } from './layers/attention-form.js';
export type { AttentionLayerArgs } from './layers/attention-layer-args.js';
export type { AttentionCallArgs } from './layers/call-args.js';
export type { LayerGroupCount, LayerGroups } from './layers/layer-groups.js';
export { multiHeadAttention } from './layers/multi-head-attention.js';
export { MultiHeadAttention, type MultiHeadAttentionArgs } from './layers/multi-head-attention-layer.js';
export { multiHeadEmbeddingAttention } from './layers/multi-head-embedding-attention.js';
export {
  MultiHeadEmbeddingAttention,
  type MultiHeadEmbeddingAttentionArgs,
} from './layers/multi-head-embedding-attention-layer.js';
export { registerLayers } from './layers/register-layers.js';
export type { SerializedClass, WeightOption } from './layers/weight-options.js';

// Core's tensor port over tfjs tensors.
export { tfjsPort } from './port/tfjs-port.js';

// Attention found and swapped in LayersModels and GraphModels.
