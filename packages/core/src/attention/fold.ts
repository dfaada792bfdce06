import type { Matrix } from '../float64/matrix.js';
import { checkWeights } from './check-weights.js';
import type { FoldedMheWeights, MheWeights, Projection } from './weights.js';

/**
 * The same attention with everything folded that can be.
 *
 * MHE-MUL: a score is `sum_j q_j (1 + eq_j) k_j (1 + ek_j)`, so queries alone take the gain `(1 + eq)(1 + ek)`; `q` and
 * `k` are the shared projections with their biases, which stay where they are. `1 + ev` scales the head's rows of the
 * output weight.
 *
 * MHE-ADD: `(q + eq)(k + ek)^T = (q + eq) k^T + (q + eq) ek^T`; the last term is the same for all keys, so softmax
 * cancels it, and `eq` is the query bias. Probabilities sum to 1, so `ev` adds `ev Wo` of the head to the output bias.
 * Where a guard turns the context of a row that may attend to nothing into 0, `ev` was not in it and now is.
 *
 * @throws RangeError when an array of the weights has another size than they say.
 */
export function foldMhe(weights: MheWeights): FoldedMheWeights {
  checkWeights(weights);
  const { embedding, queryEmbedding, keyEmbedding, valueEmbedding, ...shared } = weights;
  if (embedding === 'add') {
    return {
      ...shared,
      queryGain: null,
      queryBias: queryEmbedding.data.some((x) => x !== 0) ? queryEmbedding : null,
      output: shiftedOutput(weights.output, valueEmbedding),
    };
  }
  const gains = queryEmbedding.data.map((x, i) => (1 + x) * (1 + (keyEmbedding.data[i] as number)));
  return {
    ...shared,
    queryGain: gains.some((gain) => gain !== 1) ? { ...queryEmbedding, data: gains } : null,
    queryBias: null,
    output: scaledOutput(weights.output, valueEmbedding),
  };
}

/** Row `h * valueHeadDim + j` of the output weight times `1 + ev[h][j]`. */
function scaledOutput(output: Projection, valueEmbedding: Matrix): Projection {
  if (valueEmbedding.data.every((x) => x === 0)) return output;
  const { cols } = output.weight;
  const data = output.weight.data.map((x, i) => x * (1 + (valueEmbedding.data[Math.floor(i / cols)] as number)));
  return { ...output, weight: { ...output.weight, data } };
}

/** The output bias plus every head's `ev Wo`: the embeddings in one row, times the output weight. */
function shiftedOutput(output: Projection, valueEmbedding: Matrix): Projection {
  if (valueEmbedding.data.every((x) => x === 0)) return output;
  const { cols, data } = output.weight;
  const bias = output.bias?.slice() ?? new Float64Array(cols);
  data.forEach((x, i) => {
    const embedding = valueEmbedding.data[Math.floor(i / cols)] as number;
    bias[i % cols] = (bias[i % cols] as number) + embedding * x;
  });
  return { ...output, bias };
}
