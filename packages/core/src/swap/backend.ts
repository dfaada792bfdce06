import type { AttentionWeights, Embedding, FoldedMheWeights } from '../attention/weights.js';
import type { AttentionSite, SkippedSite } from '../find/site.js';
import type { FitMoments } from '../fit/moments.js';
import type { OutputMoments } from '../fit/output.js';
import type { AttentionForm } from './options.js';
import type { BeforeAfter, OutputDifference } from './report.js';

/** What a site is to become. */
export interface Replacement {
  readonly weights: FoldedMheWeights;
  readonly embedding: Embedding;
  readonly form: 'auto' | AttentionForm;
}

/** How it was put in. */
export interface Replaced {
  readonly form: AttentionForm;
  readonly formReason: string;
  /** Root mean square difference of the block's output from the original's, relative to the original's. */
  readonly outputError: number;
}

/**
 * One site while it is being swapped. Its inputs come from the model as swapped so far, the outputs it is compared
 * with from the original (design: front to back).
 */
export interface OpenSite {
  readonly weights: AttentionWeights;
  /** Whether rows of probabilities may be empty (a guard sets them to zero). */
  readonly emptyRows: boolean;
  /** Positions of the query stream over all calibration inputs. */
  readonly tokens: number;
  /** Bound on the identity swap's relative difference for the type that the block computes in. */
  readonly identityTolerance: number;
  /**
   * Computes the block with these weights in the place of its own, on the original's inputs.
   *
   * @returns the largest difference of the block's output, relative to its largest output.
   */
  verify(identity: FoldedMheWeights): Promise<number>;
  /** What the calibration inputs tell the fit; what can't be had is missing. */
  moments(): Promise<FitMoments>;
  /**
   * Moments of the new heads' outputs against the original block's output, of parts of the calibration inputs
   * (`HeldOutSums`); none where they can't be had.
   */
  outputMoments(replacement: Replacement): Promise<readonly OutputMoments[]>;
  /**
   * Puts the new block in and goes on behind it.
   *
   * @throws FormError where the form asked for cannot express the site.
   */
  replace(replacement: Replacement): Promise<Replaced>;
  /** Leaves the block as it is and goes on behind it. */
  keep(): Promise<void>;
}

/** What the pipeline has at the end. */
export interface Finished<Model> {
  readonly model: Model;
  readonly parameters: BeforeAfter;
  readonly bytes: BeforeAfter;
  readonly outputs: readonly OutputDifference[];
}

/**
 * What an adapter does for the swap; the order of the work is the pipeline's. Sites are opened one at a time, in the
 * order in which the model computes them.
 *
 * @typeParam Model - the adapter's model.
 */
export interface SwapBackend<Model> {
  /** The chosen sites that can be worked on, in the order in which the model computes them. */
  readonly sites: readonly AttentionSite[];
  /** The chosen sites that can't. */
  readonly skipped: readonly SkippedSite[];
  /** The next site, in order; the one before must have been replaced or kept. */
  open(site: AttentionSite): Promise<OpenSite>;
  finish(): Promise<Finished<Model>>;
}
