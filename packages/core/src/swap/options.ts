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

/**
 * Which sites to swap: all, by number (from 0, as `inspect` counts them), by a pattern that the site's name has to
 * match somewhere, or by a predicate.
 */
export type SiteSelection = 'all' | readonly number[] | RegExp | ((site: AttentionSite) => boolean);

/** Seeded inputs made up from what the model declares, for want of real ones. */
export interface SyntheticCalibration {
  readonly synthetic: {
    /** A whole number; the same one gives the same inputs. Default 0. */
    readonly seed?: number;
    /** How many inputs, a whole number from 1. Default 16. */
    readonly sequences?: number;
    /**
     * Size of the dimensions that the model leaves open, in positions (tokens, frames), a whole number from 1. Default
     * 32, or less where the model does not run on that many; the report says so.
     */
    readonly length?: number;
  };
}

/** Where the swap stands, for a progress bar. */
export interface SwapProgress {
  /** Running the original, proving the identity swap, fitting and putting in, comparing the outputs at the end. */
  readonly stage: 'capture' | 'verify' | 'fit' | 'compare';
  /** Name of the site being worked on; empty in the last stage. */
  readonly site: string;
  /** Runs of one calibration input each, so far and in all. */
  readonly done: number;
  readonly total: number;
}

/**
 * Options of every adapter's `swap`.
 *
 * @typeParam Feed - one calibration input, in the adapter's terms.
 */
export interface SwapOptions<Feed> {
  /**
   * How many shared projections each site keeps, from 1 to its number of heads, or `'heads'`. Default 1 for both dials:
   * the paper's MHE. RangeError where a site has fewer heads.
   */
  readonly groups?: Groups;
  /**
   * Largest share of the energy, of scores and of the heads' outputs, that a site's fit may leave out, 0 to 1 (the report's
   * `fitError`). Where the groups asked for leave out more, a site gets more of them, as few as hold; where only its own
   * hold, it is left alone, and the report says so. No measure of quality: a share that values can spare may be too much of
   * rotated scores. Default 1: every site gets the groups asked for. RangeError for others.
   */
  readonly maxFitError?: number;
  /** How the heads of a group differ. Default `mul`. RangeError for anything but `mul` and `add`. */
  readonly embedding?: Embedding;
  /**
   * Default `auto`: the fastest form that the site allows, by measured rules; the report says which and why, and a site
   * that no form can express is skipped. A form asked for that cannot express a site is a FormError; `factorised` with
   * `mul` a RangeError.
   */
  readonly form?: 'auto' | AttentionForm;
  /** Default `all`. RangeError for a number that no site has; a pattern that matches none swaps nothing. */
  readonly sites?: SiteSelection;
  /**
   * Inputs of the model to fit on; a few hundred real ones give the better fit by far. Default: synthetic ones, and the
   * report says so. RangeError where it is empty, Error where an input does not fit the model.
   */
  readonly calibration?: Iterable<Feed> | SyntheticCalibration;
  /**
   * Number of heads, for graphs that take it from an input. Default: told by the graph. RangeError where it disagrees
   * with the graph; the report says where it had no effect.
   */
  readonly numHeads?: number;
  /**
   * Largest difference of the identity swap, relative to the block's largest output: a site beyond it is skipped.
   * Default by the type that the block computes in: 2e-5 in float32, 1e-10 in float64, 2e-2 in float16, 1e-1 in bfloat16.
   * RangeError below 0.
   */
  readonly identityTolerance?: number;
  /** Of every random choice of the fit, a whole number. Default 0. RangeError for others. */
  readonly seed?: number;
  /** Stops the work before the next run or sweep, with the signal's reason. Default: it goes to its end. */
  readonly signal?: AbortSignal;
  /** Called after every run of a calibration input and at the start of every stage. Default: nobody is told. */
  readonly onProgress?: (progress: SwapProgress) => void;
}
