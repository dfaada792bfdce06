import type { Embedding } from '../attention/weights.js';
import type { AttentionSite, SkippedSite } from '../find/site.js';
import type { AttentionForm } from './options.js';

/** A figure of the original and of the swapped model. */
export interface BeforeAfter {
  readonly before: number;
  readonly after: number;
}

/** What was done to one site. */
export interface SwappedSite {
  readonly site: AttentionSite;
  readonly embedding: Embedding;
  readonly groups: { readonly queryKey: number; readonly value: number };
  readonly form: AttentionForm;
  /** Why this form. */
  readonly formReason: string;
  /** Parameters of the block's projections and embeddings. */
  readonly parameters: BeforeAfter;
  /** Multiply-adds of the block at the calibration's mean length. */
  readonly multiplyAdds: BeforeAfter;
  /** Key/value cache, elements per token, were the block a decoder's. */
  readonly cachePerToken: BeforeAfter;
  /** Largest difference of the identity swap's output, relative to the block's largest output. */
  readonly identityError: number;
  /** Energy of the scores (query-key) and of the heads' outputs (value) that the fit leaves out, 0 to 1. */
  readonly fitError: { readonly queryKey: number; readonly value: number };
  /** Inputs of the block whose moments the fit had to do without; it took every direction of them alike. */
  readonly withoutMoments: readonly ('query' | 'key' | 'attended')[];
  /** Relative root mean square difference of the block's output on the calibration inputs, after the refit. */
  readonly outputError: number;
}

/** How one output of the model changed on the calibration inputs. */
export interface OutputDifference {
  readonly name: string;
  /** Largest absolute difference. */
  readonly maxAbsolute: number;
  /** Root mean square difference relative to the original's root mean square. */
  readonly relative: number;
  /** Mean cosine along the last axis. */
  readonly cosine: number;
}

/** What a swap gained and what it cost. */
export interface SwapReport {
  readonly swapped: readonly SwappedSite[];
  readonly skipped: readonly SkippedSite[];
  readonly calibration: {
    readonly kind: 'given' | 'synthetic';
    readonly sequences: number;
    /** Positions that the fit saw, of the first site's query stream. */
    readonly tokens: number;
  };
  /** Elements of all weights of the model. */
  readonly parameters: BeforeAfter;
  /** Bytes of all weights of the model. */
  readonly bytes: BeforeAfter;
  /** Of the swapped blocks, at `sequenceLength`. */
  readonly multiplyAdds: BeforeAfter & { readonly sequenceLength: number };
  /** Elements of keys and values that the swapped blocks of self-attention keep in caches for every token; 0 without caches. */
  readonly cachePerToken: BeforeAfter;
  readonly outputs: readonly OutputDifference[];
  /** Everything else a user should know: options without effect, fallbacks taken, data made up. */
  readonly notices: readonly string[];
}
