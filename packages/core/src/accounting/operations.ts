import { countBytes, type DataType } from './bytes.js';
import { type AttentionDimensions, type ExactDimensions, exactDimensions, exactSize } from './dimensions.js';
import { type AttentionKind, type ProjectionBlocks, projectionBlocks } from './kind.js';

/** A kind with the form it is computed in. Only MHE has more than one, and only MHE-ADD the factorised one. */
export type AttentionComputation = AttentionKind &
  (
    | { readonly kind: 'mha' | 'sha' | 'mqa' | 'gqa' }
    | { readonly kind: 'mhe-mul'; readonly form: 'direct' | 'folded' }
    | { readonly kind: 'mhe-add'; readonly form: 'direct' | 'folded' | 'factorised' }
  );

/** How much there is to attend to. */
export interface SequenceLengths {
  /** Positions that ask. */
  readonly queries: number;
  /** Positions that are asked. Default `queries`. */
  readonly keys?: number;
  /** Sequences. Default 1. */
  readonly batch?: number;
}

/** Multiply-adds by part, exact, of all layers and sequences. */
export interface OperationCount {
  readonly queryProjection: bigint;
  readonly keyProjection: bigint;
  readonly valueProjection: bigint;
  /** What head embeddings cost: a product, or a sum, for each number they change. */
  readonly embeddings: bigint;
  /** Products of queries and keys. */
  readonly scores: bigint;
  /** Products of probabilities and values. */
  readonly values: bigint;
  readonly output: bigint;
  /** Sum of the parts above. */
  readonly total: bigint;
  /** Exponentials, which are no part of the total and cost several multiply-adds each. */
  readonly exponentials: bigint;
}

/**
 * Multiply-adds of attention over full sequences, nothing cached and masked products not saved. Biases, scale, masks
 * and the sums of softmax are left out.
 *
 * @throws RangeError when the sizes, groups or lengths are impossible.
 */
export function countOperations(options: AttentionDimensions & AttentionComputation & SequenceLengths): OperationCount {
  const dims = exactDimensions(options);
  const { queries, keys, batch } = exactLengths(options);
  const blocks = projectionBlocks(options, dims);
  const matrices = scoreMatrices(options, dims, blocks);
  const factorised = 'form' in options && options.form === 'factorised';
  // SHA's one context stands for all heads; the factorised form sums a feature more a head, the denominator.
  const contexts = options.kind === 'sha' ? 1n : dims.numHeads;
  const summedFeatures = factorised ? dims.valueHeadDim + 1n : dims.valueHeadDim;
  const parts = {
    queryProjection: queries * dims.modelDim * blocks.query * dims.headDim,
    keyProjection: keys * dims.keyDim * blocks.key * dims.headDim,
    valueProjection: keys * dims.valueDim * blocks.value * dims.valueHeadDim,
    embeddings: embeddingOperations(options, dims, queries, keys),
    scores: matrices * queries * keys * dims.headDim,
    values: contexts * queries * keys * summedFeatures,
    output: queries * dims.numHeads * dims.valueHeadDim * dims.outputDim,
  };
  const exponentials = matrices * queries * keys + (factorised ? keys * dims.numHeads : 0n);
  const total = Object.values(parts).reduce((sum, part) => sum + part, 0n);
  const all = Object.entries({ ...parts, total, exponentials });
  return Object.fromEntries(
    all.map(([part, count]) => [part, count * batch * dims.numLayers]),
  ) as unknown as OperationCount;
}

/**
 * Bytes of the scores of one layer, the largest activation of long sequences: one copy of `[batch, matrices, queries,
 * keys]`, with a matrix for every head, or for every group in the factorised form. A runtime whose softmax cannot work in
 * place holds two.
 */
export function countScoreBytes(
  options: AttentionDimensions & AttentionComputation & SequenceLengths & { readonly type: DataType },
): bigint {
  const dims = exactDimensions(options);
  const { queries, keys, batch } = exactLengths(options);
  const matrices = scoreMatrices(options, dims, projectionBlocks(options, dims));
  return countBytes(batch * matrices * queries * keys, options.type);
}

function exactLengths({ queries, keys = queries, batch = 1 }: SequenceLengths) {
  return {
    queries: exactSize('queries', queries),
    keys: exactSize('keys', keys),
    batch: exactSize('batch', batch),
  };
}

function scoreMatrices(computation: AttentionComputation, dims: ExactDimensions, blocks: ProjectionBlocks): bigint {
  if (computation.kind === 'sha') return 1n;
  return 'form' in computation && computation.form === 'factorised' ? blocks.key : dims.numHeads;
}

function embeddingOperations(
  computation: AttentionComputation,
  dims: ExactDimensions,
  queries: bigint,
  keys: bigint,
): bigint {
  if (!('form' in computation)) return 0n;
  const { numHeads, headDim, valueHeadDim, keyDim } = dims;
  switch (computation.form) {
    case 'direct':
      return numHeads * (queries * headDim + keys * (headDim + valueHeadDim));
    case 'folded':
      return numHeads * queries * headDim;
    case 'factorised':
      // Each head's number for every key, projected from the key stream, then times the values.
      return numHeads * keys * (keyDim + valueHeadDim);
  }
}
