/** What the model adds to or excludes from its scores. */
export type MaskKind = 'none' | 'additive' | 'boolean' | 'per-head bias' | 'per-head scale';

/** One attention block, as `inspect` shows it. */
export interface AttentionSite {
  /** Its number among the sites found, from 0, in the order the model computes them. */
  readonly index: number;
  /** Where it is: the name of its softmax node. */
  readonly name: string;
  readonly kind: 'self' | 'cross';
  readonly numHeads: number;
  readonly headDim: number;
  readonly valueHeadDim: number;
  /** Heads of keys and of values that the model has: `numHeads` each where no heads share them. */
  readonly groups: { readonly queryKey: number; readonly value: number };
  /** Names of the values that are projected. */
  readonly streams: { readonly query: string; readonly key: string; readonly value: string };
  /** Widths of these, and of the block's output. */
  readonly dims: { readonly query: number; readonly key: number; readonly value: number; readonly output: number };
  /** Factor of the scores from graph steps between the product and the softmax; 1 where there is none. */
  readonly scale: number;
  readonly mask: readonly MaskKind[];
  /** Positions that enter inside the block; `none` where they are added before it. */
  readonly position: 'none' | 'relative bias' | 'rotary';
  /** Whether queries or keys are normalised after their projections, each `head` or all `heads` together. */
  readonly norm: 'none' | 'head' | 'heads';
  /** Keys and values of earlier positions that the graph takes and hands on; `null` where it has none. */
  readonly cache: { readonly key: SiteCache | null; readonly value: SiteCache | null } | null;
  /** What of its scores and probabilities the rest of the model reads, or puts out. */
  readonly readOutside: readonly ('scores' | 'probabilities')[];
  /** Parameters of the four projections. */
  readonly parameters: {
    readonly query: number;
    readonly key: number;
    readonly value: number;
    readonly output: number;
    readonly total: number;
  };
  /** Names of the graph's nodes that it consists of, by part. */
  readonly nodes: {
    readonly query: readonly string[];
    readonly key: readonly string[];
    readonly value: readonly string[];
    readonly scores: readonly string[];
    readonly output: readonly string[];
  };
}

/** Keys or values of earlier positions, as inputs and outputs of the graph. */
export interface SiteCache {
  /** The input that brings the earlier ones. */
  readonly past: string;
  /** Outputs that hand on the earlier and the new ones; empty where there is none. */
  readonly present: readonly string[];
  /** What the axes of both are, four of one kind each. A swap changes the size of `head` to its number of groups. */
  readonly axes: readonly ('batch' | 'head' | 'sequence' | 'feature')[];
}

/** A softmax that is left alone, and why. */
export interface SkippedSite {
  readonly name: string;
  /** One sentence: what is missing or in the way. */
  readonly reason: string;
  /** The nodes that the reason speaks of. */
  readonly nodes: readonly string[];
}

/** What `inspect` returns. */
export interface Inspection {
  readonly attention: readonly AttentionSite[];
  readonly skipped: readonly SkippedSite[];
  /** Options that had no effect, and why. */
  readonly notices: readonly string[];
}
