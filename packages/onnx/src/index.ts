// Files.

// Of core, what the options and the report are made of.
export type {
  AttentionForm,
  AttentionSite,
  BeforeAfter,
  Embedding,
  GroupCount,
  Groups,
  Inspection,
  MaskKind,
  NestedValues,
  OutputDifference,
  SiteCache,
  SiteSelection,
  SkippedSite,
  SwapProgress,
  SwappedSite,
  SwapReport,
  SyntheticCalibration,
} from '@mhe/core';
export { checkOptionNames } from '@mhe/core';
export { type EncodedModel, type EncodeOptions, encodeModel } from './file/encode-model.js';
export { OnnxFileError, type OnnxFileProblem } from './file/onnx-file-error.js';
export { type ReadBytesOptions, type ReadFileOptions, readModel } from './file/read-model.js';
export { type WriteOptions, type WriteProgress, type WrittenModel, writeModel } from './file/write-model.js';
export type { ByteSource, OnnxModel } from './graph/model.js';
// Attention: find it, swap it.
export { type InspectOptions, inspect } from './inspect.js';

// Running.
export type { Feed, FeedTensor } from './run/check-feed.js';
export type { OrtRuntime, OrtSession, OrtTensor } from './run/ort-runtime.js';
export { inTurn } from './run/run-queue.js';
export type { SessionOptions } from './run/session.js';
export { runModel } from './run-model.js';
export { acceptEmptyCaches } from './swap/accept-empty-caches.js';
export { checkSwapOptions } from './swap/check-swap-options.js';
export { modelSize } from './swap/model-size.js';
export { type OnnxSwapOptions, type OnnxSwapResult, swap } from './swap.js';
