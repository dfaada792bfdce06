// Attention: the forms, written over the tensor port.
export type { ScoreRules } from './attention/mask.js';
export type { TensorPort } from './attention/port.js';
export type {
  AttentionWeights,
  Embedding,
  FoldedMheWeights,
  HeadGroups,
  MheWeights,
  Projection,
} from './attention/weights.js';

// Finding attention.
export type { AttentionSite, Inspection, MaskKind, SkippedSite } from './find/site.js';

// Float64: the reference interpretation of the port, and reproducible randomness.
export type { Matrix } from './float64/matrix.js';
export { type SeededRandom, seededRandom } from './float64/random.js';

// The swap: options, progress, report.
export type { GroupCount, Groups } from './swap/groups.js';
export type { AttentionForm, SiteSelection, SwapOptions, SwapProgress, SyntheticCalibration } from './swap/options.js';
export type { BeforeAfter, OutputDifference, SwappedSite, SwapReport } from './swap/report.js';
