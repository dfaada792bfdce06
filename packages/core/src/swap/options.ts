import type { Embedding } from '../attention/weights.js';
import type { AttentionSite } from '../find/site.js';
import type { Groups } from './groups.js';

/**
 * How the swapped layer computes.
 * - `folded`: queries per head, keys and values shared (design: multi-query form); serves every embedding.
 * - `factorised`: MHE-ADD with one exponential per group; needs masks that are the same for all heads.
 * - `direct`: the paper's definition, every head's queries, keys and values written out.
 * - `widened`: folded weights in the original's own layout, for blocks whose heads are not an axis of their own.
 */
export type AttentionForm = 'folded' | 'factorised' | 'direct' | 'widened';

/** Which sites to swap: all, by number, by a pattern on the site's name, or by a predicate. */
export type SiteSelection = 'all' | readonly number[] | RegExp | ((site: AttentionSite) => boolean);

/** Seeded inputs made up from what the model declares, for want of real ones. */
export interface SyntheticCalibration {
  readonly synthetic: {
    /** Default 0. */
    readonly seed?: number;
    /** Default 16. */
    readonly sequences?: number;
    /** Length of the dimensions that the model leaves open. Default 32. */
    readonly length?: number;
  };
}

/** Where the swap stands, for a progress bar. `done` of `total` steps; `site` is the one being worked on. */
export interface SwapProgress {
  readonly stage: 'capture' | 'verify' | 'fit' | 'compare';
  readonly site: string;
  readonly done: number;
  readonly total: number;
}

/**
 * Options of every adapter's `swap`.
 *
 * @typeParam Feed - one calibration input, in the adapter's terms.
 */
export interface SwapOptions<Feed> {
  /** Default 1 for both dials: the paper's MHE. */
  readonly groups?: Groups;
  /** Default `mul`. */
  readonly embedding?: Embedding;
  /** Default `auto`: the fastest form that the site allows, by measured rules; the report says which and why. */
  readonly form?: 'auto' | AttentionForm;
  /** Default `all`. */
  readonly sites?: SiteSelection;
  /** Real inputs give the better fit by far. Default: synthetic ones, and the report says so. */
  readonly calibration?: Iterable<Feed> | SyntheticCalibration;
  /** Number of heads, where the graph does not tell. */
  readonly numHeads?: number;
  /** Largest difference of the identity swap, relative to the block's largest output. Default 2e-5 in float32. */
  readonly identityTolerance?: number;
  /** Of every random choice. Default 0. */
  readonly seed?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: SwapProgress) => void;
}
