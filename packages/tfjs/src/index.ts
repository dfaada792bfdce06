// Attention found and swapped in LayersModels and GraphModels, and layers to train with; of core, what the options and the
// report are made of.
export type {
  AttentionForm,
  AttentionSite,
  AttentionWeights,
  BeforeAfter,
  Embedding,
  GroupCount,
  Groups,
  HeadGroups,
  Inspection,
  MaskKind,
  NestedValues,
  OutputDifference,
  SiteSelection,
  SkippedSite,
  SwapProgress,
  SwappedSite,
  SwapReport,
  SyntheticCalibration,
} from '@mhe/core';
// Files.
export type { AnyModel } from './file/live-model.js';
export { loadModel } from './file/load-model.js';
export type { TfjsFormat, TfjsModel } from './file/model.js';
export { type ReadOptions, readModel } from './file/read-model.js';
export { TfjsFileError, type TfjsFileProblem } from './file/tfjs-file-error.js';
export { type WriteOptions, type WrittenModel, writeModel } from './file/write-model.js';
export { type InspectOptions, inspect } from './inspect.js';
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
export type { Feed, FeedTensor } from './run/check-feed.js';
export { swap, type TfjsSwapOptions, type TfjsSwapResult } from './swap.js';
