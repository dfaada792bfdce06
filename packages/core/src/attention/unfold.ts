import { zeros } from '../float64/zeros.js';
import { checkWeights } from './check-weights.js';
import { FormError } from './form-error.js';
import type { Embedding, FoldedMheWeights, MheWeights } from './weights.js';

/**
 * Folded weights in the paper's terms. Gains become query embeddings of MHE-MUL, query biases those of MHE-ADD; key and
 * value embeddings are zero, for what they did is part of the gains and of the output projection.
 *
 * @throws FormError when MHE-MUL is asked to shift a query, or MHE-ADD to scale one.
 * @throws RangeError when an array of the weights has another size than they say.
 */
export function unfoldMhe(weights: FoldedMheWeights, embedding: Embedding): MheWeights {
  checkWeights(weights);
  const { queryGain, queryBias, ...shared } = weights;
  if (embedding === 'mul' && queryBias?.data.some((x) => x !== 0)) {
    throw new FormError('MHE-MUL', 'the queries have a bias per head, and this embedding only scales them');
  }
  if (embedding === 'add' && queryGain?.data.some((x) => x !== 1)) {
    throw new FormError('MHE-ADD', 'the queries have a gain per head, and this embedding only shifts them');
  }
  const { numHeads, headDim, valueHeadDim } = shared;
  const embeddings = embedding === 'mul' ? queryGain?.data.map((gain) => gain - 1) : queryBias?.data;
  return {
    ...shared,
    embedding,
    queryEmbedding: { ...zeros(numHeads, headDim), ...(embeddings && { data: embeddings }) },
    keyEmbedding: zeros(numHeads, headDim),
    valueEmbedding: zeros(numHeads, valueHeadDim),
  };
}
