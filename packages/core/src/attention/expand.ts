import type { Matrix } from '../float64/matrix.js';
import { checkWeights } from './check-weights.js';
import { queryGroups } from './head-groups.js';
import type { AttentionWeights, Embedding, FoldedMheWeights, MheWeights, Projection } from './weights.js';

/**
 * The multi-head attention that computes the same: every head gets its own columns, with its embeddings in them.
 *
 * @throws RangeError when an array of the weights has another size than they say.
 */
export function expandMhe(weights: MheWeights | FoldedMheWeights): AttentionWeights {
  checkWeights(weights);
  const { numHeads, headDim, valueHeadDim, scale, groups, output } = weights;
  let query = pickBlocks(weights.query, queryGroups(groups), headDim);
  let key = pickBlocks(weights.key, groups.queryKey, headDim);
  let value = pickBlocks(weights.value, groups.value, valueHeadDim);
  if ('embedding' in weights) {
    query = embedColumns(query, weights.embedding, weights.queryEmbedding);
    key = embedColumns(key, weights.embedding, weights.keyEmbedding);
    value = embedColumns(value, weights.embedding, weights.valueEmbedding);
  } else {
    if (weights.queryGain) query = scaleColumns(query, weights.queryGain.data);
    if (weights.queryBias) query = shiftColumns(query, weights.queryBias.data);
  }
  return { numHeads, headDim, valueHeadDim, scale, query, key, value, output };
}

/** Block `i` of the result is block `blocks[i]` of the projection's columns. */
export function pickBlocks({ weight, bias }: Projection, blocks: readonly number[], size: number): Projection {
  const cols = blocks.length * size;
  const source = Array.from(
    { length: cols },
    (_, col) => (blocks[Math.floor(col / size)] as number) * size + (col % size),
  );
  const data = new Float64Array(weight.rows * cols);
  for (let row = 0; row < weight.rows; row++) {
    source.forEach((from, col) => {
      data[row * cols + col] = weight.data[row * weight.cols + from] as number;
    });
  }
  return {
    weight: { rows: weight.rows, cols, data },
    bias: bias && Float64Array.from(source, (from) => bias[from] as number),
  };
}

function embedColumns(projection: Projection, embedding: Embedding, { data }: Matrix): Projection {
  return embedding === 'mul'
    ? scaleColumns(
        projection,
        data.map((x) => 1 + x),
      )
    : shiftColumns(projection, data);
}

function scaleColumns({ weight, bias }: Projection, factors: Float64Array): Projection {
  const data = weight.data.map((x, i) => x * (factors[i % weight.cols] as number));
  return { weight: { ...weight, data }, bias: bias?.map((x, col) => x * (factors[col] as number)) ?? null };
}

function shiftColumns({ weight, bias }: Projection, summands: Float64Array): Projection {
  return { weight, bias: summands.map((x, col) => x + (bias?.[col] ?? 0)) };
}
