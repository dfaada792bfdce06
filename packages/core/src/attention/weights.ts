import type { Matrix } from '../float64/matrix.js';

/** An affine map of row vectors, `x W + b`. */
export interface Projection {
  /** `[inputDim, outputDim]`. */
  readonly weight: Matrix;
  /** `[outputDim]`, or `null` where the projection has none. */
  readonly bias: Float64Array | null;
}

/**
 * Multi-head attention in the one layout the whole project uses: heads are contiguous column blocks of the
 * query, key and value projections and contiguous row blocks of the output projection, so column
 * `h * headDim + j` of `query` is feature `j` of head `h`.
 *
 * Queries may read another stream than keys and values (cross attention), each of its own width.
 */
export interface AttentionWeights {
  readonly numHeads: number;
  /** Size of a head's queries and keys. */
  readonly headDim: number;
  /** Size of a head's values. */
  readonly valueHeadDim: number;
  /** Factor of `query . key` before the mask; whatever the model uses, 1 where it has none. */
  readonly scale: number;
  /** `[queryDim, numHeads * headDim]`. */
  readonly query: Projection;
  /** `[keyDim, numHeads * headDim]`. */
  readonly key: Projection;
  /** `[valueDim, numHeads * valueHeadDim]`. */
  readonly value: Projection;
  /** `[numHeads * valueHeadDim, outputDim]`. */
  readonly output: Projection;
  /**
   * Which heads have the same keys, and the same values, in the model itself (grouped-query attention); their columns
   * are then written out for each head. Absent: every head has its own.
   */
  readonly keyValueGroups?: HeadGroups;
  /**
   * Pairs of features of a head's queries and keys that are rotated together by position, between the projections and the
   * product; other features are not rotated. Absent: none is.
   */
  readonly rotary?: { readonly planes: readonly (readonly [number, number])[] };
  /** Whether queries or keys are normalised between the projections and the product (QK norm). Default false. */
  readonly normalised?: boolean;
}

/** How the per-head vectors act: MHE-MUL `A * (e + 1)`, MHE-ADD `A + e` (paper, section 3). */
export type Embedding = 'mul' | 'add';

/** Which shared projection each head uses: `queryKey[h]` and `value[h]` are group numbers, counted from 0. */
export interface HeadGroups {
  readonly queryKey: readonly number[];
  readonly value: readonly number[];
}

/** Groups of a layer that may have a query projection for every head over keys that they share. */
export interface LayerGroups extends HeadGroups {
  /** Group of each head's query projection. Absent: that of its keys. */
  readonly query?: readonly number[];
}

interface SharedProjections {
  readonly numHeads: number;
  readonly headDim: number;
  readonly valueHeadDim: number;
  readonly scale: number;
  readonly groups: LayerGroups;
  /** `[queryDim, queryGroups * headDim]`, groups in contiguous column blocks; as many as of keys, if not told. */
  readonly query: Projection;
  /** `[keyDim, queryKeyGroups * headDim]`. */
  readonly key: Projection;
  /** `[valueDim, valueGroups * valueHeadDim]`. */
  readonly value: Projection;
  /** `[numHeads * valueHeadDim, outputDim]`, heads in contiguous row blocks. */
  readonly output: Projection;
}

/** Multi-head-embedding attention as the paper defines it: shared projections and a vector per head for each. */
export interface MheWeights extends SharedProjections {
  readonly embedding: Embedding;
  /** `[numHeads, headDim]`. */
  readonly queryEmbedding: Matrix;
  /** `[numHeads, headDim]`. */
  readonly keyEmbedding: Matrix;
  /** `[numHeads, valueHeadDim]`. */
  readonly valueEmbedding: Matrix;
}

/**
 * MHE with everything that can be folded away folded: head `h` has queries
 * `(x Wq_g + bq_g) * queryGain[h] + queryBias[h]`, keys and values are those of its groups as they are, and the
 * value embeddings are part of `output`.
 */
export interface FoldedMheWeights extends SharedProjections {
  /** `[numHeads, headDim]`, or `null` for all ones. */
  readonly queryGain: Matrix | null;
  /** `[numHeads, headDim]`, or `null` for all zeros. */
  readonly queryBias: Matrix | null;
}
