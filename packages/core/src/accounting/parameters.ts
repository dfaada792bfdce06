import { type AttentionDimensions, exactDimensions } from './dimensions.js';
import { type AttentionKind, projectionBlocks } from './kind.js';

/** What to count besides the sizes. */
export interface ParameterOptions {
  /** Whether every projection counted has a bias. Default true. */
  readonly bias?: boolean;
  /** Whether the output projection counts. Default true. */
  readonly output?: boolean;
}

/** Parameters by part, exact. */
export interface ParameterCount {
  /** Weights of the query, key and value projections. */
  readonly projections: bigint;
  /** Biases of all projections counted, the output's too. */
  readonly biases: bigint;
  /** Head embeddings. */
  readonly embeddings: bigint;
  /** Weight of the output projection. */
  readonly output: bigint;
  readonly total: bigint;
}

/**
 * Parameters of one kind of attention.
 *
 * With `m = n d`, without biases and output: MHA `3 n^2 d^2`, SHA `3 n d^2`, MHE `3 n d^2 + 3 n d` (paper, section 3).
 *
 * @throws RangeError when the sizes or groups are impossible.
 */
export function countParameters(options: AttentionDimensions & AttentionKind & ParameterOptions): ParameterCount {
  const { bias = true, output = true } = options;
  const dims = exactDimensions(options);
  const blocks = projectionBlocks(options, dims);
  const query = blocks.query * dims.headDim;
  const key = blocks.key * dims.headDim;
  const value = blocks.value * dims.valueHeadDim;
  const isMhe = options.kind === 'mhe-add' || options.kind === 'mhe-mul';
  const perLayer = {
    projections: dims.modelDim * query + dims.keyDim * key + dims.valueDim * value,
    biases: bias ? query + key + value + (output ? dims.outputDim : 0n) : 0n,
    embeddings: isMhe ? dims.numHeads * (2n * dims.headDim + dims.valueHeadDim) : 0n,
    output: output ? dims.numHeads * dims.valueHeadDim * dims.outputDim : 0n,
  };
  const total = perLayer.projections + perLayer.biases + perLayer.embeddings + perLayer.output;
  return mapCount({ ...perLayer, total }, (count) => count * dims.numLayers);
}

/** `count - reference`, part by part. */
export function subtractParameters(count: ParameterCount, reference: ParameterCount): ParameterCount {
  return mapCount(count, (value, part) => value - reference[part]);
}

function mapCount(
  count: ParameterCount,
  change: (value: bigint, part: keyof ParameterCount) => bigint,
): ParameterCount {
  return {
    projections: change(count.projections, 'projections'),
    biases: change(count.biases, 'biases'),
    embeddings: change(count.embeddings, 'embeddings'),
    output: change(count.output, 'output'),
    total: change(count.total, 'total'),
  };
}
