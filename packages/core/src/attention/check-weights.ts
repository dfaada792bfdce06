import type { Matrix } from '../float64/matrix.js';
import { groupCount, queryGroups } from './head-groups.js';
import type { AttentionWeights, FoldedMheWeights, MheWeights, Projection } from './weights.js';

/**
 * Makes sure that the arrays of the weights have the sizes that the other fields say.
 *
 * @throws RangeError naming the first field that does not fit.
 */
export function checkWeights(weights: AttentionWeights | MheWeights | FoldedMheWeights): void {
  const { numHeads, headDim, valueHeadDim, query, key, value, output } = weights;
  for (const field of ['numHeads', 'headDim', 'valueHeadDim'] as const) {
    if (!Number.isInteger(weights[field]) || weights[field] < 1) {
      throw new RangeError(`attention weights: ${field} must be a whole number above 0, got ${weights[field]}`);
    }
  }
  const grouped = 'groups' in weights;
  if (grouped) {
    checkGroups('groups.queryKey', weights.groups.queryKey, numHeads);
    checkGroups('groups.value', weights.groups.value, numHeads);
    if (weights.groups.query) checkGroups('groups.query', weights.groups.query, numHeads);
  }
  const queryKeyBlocks = grouped ? groupCount(weights.groups.queryKey) : numHeads;
  const valueBlocks = grouped ? groupCount(weights.groups.value) : numHeads;
  const queryBlocks = grouped ? groupCount(queryGroups(weights.groups)) : numHeads;
  checkProjection('query', query, { cols: queryBlocks * headDim });
  checkProjection('key', key, { cols: queryKeyBlocks * headDim });
  checkProjection('value', value, { cols: valueBlocks * valueHeadDim });
  checkProjection('output', output, { rows: numHeads * valueHeadDim });
  if ('embedding' in weights) {
    checkMatrix('queryEmbedding', weights.queryEmbedding, { rows: numHeads, cols: headDim });
    checkMatrix('keyEmbedding', weights.keyEmbedding, { rows: numHeads, cols: headDim });
    checkMatrix('valueEmbedding', weights.valueEmbedding, { rows: numHeads, cols: valueHeadDim });
  } else if (grouped) {
    if (weights.queryGain) checkMatrix('queryGain', weights.queryGain, { rows: numHeads, cols: headDim });
    if (weights.queryBias) checkMatrix('queryBias', weights.queryBias, { rows: numHeads, cols: headDim });
  }
}

interface Expected {
  readonly rows?: number;
  readonly cols?: number;
}

function checkMatrix(name: string, { rows, cols, data }: Matrix, expected: Expected): void {
  const wanted = { rows, cols, ...expected };
  if (rows !== wanted.rows || cols !== wanted.cols || data.length !== rows * cols) {
    const got = `${rows} x ${cols} over ${data.length} numbers`;
    throw new RangeError(`attention weights: ${name} must be ${wanted.rows} x ${wanted.cols}, got ${got}`);
  }
}

function checkProjection(name: string, { weight, bias }: Projection, expected: Expected): void {
  checkMatrix(`${name}.weight`, weight, expected);
  if (bias && bias.length !== weight.cols) {
    throw new RangeError(`attention weights: ${name}.bias must have ${weight.cols} numbers, got ${bias.length}`);
  }
}

function checkGroups(name: string, groups: readonly number[], numHeads: number): void {
  if (groups.length !== numHeads) {
    throw new RangeError(
      `attention weights: ${name} must name a group for each of ${numHeads} heads, got ${groups.length}`,
    );
  }
  const used = new Set(groups);
  if (!Array.from({ length: used.size }, (_, group) => group).every((group) => used.has(group))) {
    throw new RangeError(
      `attention weights: ${name} must count its groups from 0 without gaps, got [${groups.join(', ')}]`,
    );
  }
}
