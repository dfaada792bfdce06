// Accounting: parameters, bytes, operations and the paper's measures.
export { countBytes, countCacheBytesPerToken, type DataType } from './accounting/bytes.js';
export type { AttentionDimensions } from './accounting/dimensions.js';
export { exactNumber } from './accounting/exact-number.js';
export type { AttentionKind, AttentionKindName } from './accounting/kind.js';
export {
  allKinds,
  countKinds,
  type KindsOptions,
  type ParameterDifference,
  parameterDifferences,
  usualKeyValueHeads,
} from './accounting/kinds.js';
export { type Direction, parameterElasticity, performanceRetention, type ScoredModel } from './accounting/measures.js';
export {
  type AttentionComputation,
  countOperations,
  countScoreBytes,
  type OperationCount,
  type SequenceLengths,
} from './accounting/operations.js';
export {
  countParameters,
  type ParameterCount,
  type ParameterOptions,
  subtractParameters,
} from './accounting/parameters.js';
export { countWeights } from './accounting/weights-parameters.js';

// Attention: the forms over the tensor port, and the exact conversions between them.
export { absorbScale } from './attention/absorb-scale.js';
export { attendHeads, type HeadTensors } from './attention/attend-heads.js';
export { checkWeights } from './attention/check-weights.js';
export { disguiseHeads } from './attention/disguise.js';
export { expandMhe } from './attention/expand.js';
export {
  attendFactorisedMhe,
  attendFactorisedMheHeadsLast,
  factorisedMhe,
  factorisedObstacle,
} from './attention/factorised.js';
export { attendFactorisedHeads, type FactorisedTensors } from './attention/factorised-heads.js';
export {
  boundKeyBiasRange,
  type ComputeType,
  checkFactorisedRange,
  factorisedRangeLimit,
  measureKeyBiasRange,
} from './attention/factorised-range.js';
export { foldMhe } from './attention/fold.js';
export { attendFoldedMhe, foldedMhe } from './attention/folded.js';
export { FormError } from './attention/form-error.js';
export { groupCount, headsByGroup } from './attention/head-groups.js';
export type { HeadSteps } from './attention/head-steps.js';
export { type Heads, spreadGroups } from './attention/heads.js';
export { identityMhe } from './attention/identity.js';
export type { AttentionInputs } from './attention/inputs.js';
export { attendMha, mha } from './attention/mha.js';
export { attendMhe, mhe } from './attention/mhe.js';
export type { TensorPort } from './attention/port.js';
export {
  additiveMaskRule,
  booleanMaskRule,
  causalRule,
  combineRules,
  type MaskScope,
  type ScoreRules,
  scaleRule,
} from './attention/score-rules.js';
export { unfoldMhe } from './attention/unfold.js';
export type {
  AttentionWeights,
  Embedding,
  FoldedMheWeights,
  HeadGroups,
  LayerGroups,
  MheWeights,
  Projection,
} from './attention/weights.js';

// Finding attention: what an adapter fills in, and what it gets back.
export type { AttentionBlock, BlockProjection } from './find/block.js';
export type { BlockAxes } from './find/block-axes.js';
export type { BlockCache, CacheAxis } from './find/block-cache.js';
export { type Finding, type FindOptions, type FoundSite, findAttention } from './find/find.js';
export type { HeadRotation, TurnAxis, TurnFactor } from './find/head-rotation.js';
export type { OutputProjection } from './find/output.js';
export type { ProjectionProduct } from './find/projection.js';
export type { PlacedStep, ScoreChain, ScoreStep } from './find/scores.js';
export type { AttentionSite, Inspection, MaskKind, SiteCache, SkippedSite } from './find/site.js';
export type { Stream, StreamAxis } from './find/stream.js';
export type {
  BinaryName,
  Dimension,
  GraphView,
  Operator,
  ShapeRule,
  ValueId,
  ViewInput,
  ViewNode,
} from './find/view.js';

// The fit: from pretrained heads to shared projections.
export type { FitError } from './fit/fit-error.js';
export { type FitOptions, type FitProgress, fitMhe, type MheFit } from './fit/fit-mhe.js';
export { neighbourGroups } from './fit/group-heads.js';
export type { FitGroups, HeadSharing } from './fit/groups.js';
export type { FitMoments, MomentName } from './fit/moments.js';
export { type OutputMoments, type RefitOptions, refitOutput } from './fit/output.js';

// Float64: the reference interpretation of the port, and reproducible randomness.
export type { Matrix } from './float64/matrix.js';
export { float64Port } from './float64/port.js';
export { type SeededRandom, seededRandom } from './float64/random.js';
export { BFLOAT16, FLOAT16, fromSmallFloat, type SmallFloatFormat, toSmallFloat } from './float64/small-float.js';
export { type Float64Tensor, float64Tensor } from './float64/tensor.js';

// The swap: the pipeline, what adapters share, options, progress, report.
export type { Finished, OpenSite, Replaced, Replacement, SwapBackend } from './swap/backend.js';
export { type BlockReplacement, identityReplacement, keepsOutput } from './swap/block-replacement.js';
export { type BlockWriter, type CanonicalReplacement, writeCanonicalBlock } from './swap/canonical-block.js';
export { checkOptionNames } from './swap/check-option-names.js';
export { checkOptions } from './swap/check-options.js';
export { type ChosenForm, chooseForm } from './swap/choose-form.js';
export { Difference, type NumberTensor } from './swap/difference.js';
export { canonicalObstacle, isRegular, widenedObstacle } from './swap/form-obstacles.js';
export type { GroupCount, Groups } from './swap/groups.js';
export { inHeadOrder } from './swap/head-order.js';
export { HeldOutSums, type OutputSumsOfPart } from './swap/held-out-sums.js';
export { IDENTITY_TOLERANCE, PROBED_FEEDS } from './swap/identity-proof.js';
export { type FlatValues, flattenNested, type NestedValues, type NumberArray } from './swap/nested-values.js';
export type { AttentionForm, SiteSelection, SwapOptions, SwapProgress, SyntheticCalibration } from './swap/options.js';
export { planWidened, type WidenedConstant, type WidenedProjection } from './swap/plan-widened.js';
export { ProgressCounter } from './swap/progress-counter.js';
export type { BeforeAfter, OutputDifference, SwappedSite, SwapReport } from './swap/report.js';
export { streamSequences } from './swap/stream-sequences.js';
export { type PipelineOptions, type SwapTask, swapSites } from './swap/swap-sites.js';
export { syntheticNotice } from './swap/synthetic-notice.js';
