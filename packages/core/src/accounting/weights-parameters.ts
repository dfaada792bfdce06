import { identityMhe } from '../attention/identity.js';
import type { AttentionWeights, FoldedMheWeights, MheWeights } from '../attention/weights.js';
import type { ParameterCount } from './parameters.js';

/** Parameters that these weights store, by part. Folded gains and biases of the queries count as embeddings. */
export function countWeights(weights: AttentionWeights | MheWeights | FoldedMheWeights): ParameterCount {
  // What heads share is written out for each of them.
  if ('keyValueGroups' in weights && weights.keyValueGroups) return countWeights(identityMhe(weights));
  const inputs = [weights.query, weights.key, weights.value];
  const vectors =
    'embedding' in weights
      ? [weights.queryEmbedding, weights.keyEmbedding, weights.valueEmbedding]
      : 'groups' in weights
        ? [weights.queryGain, weights.queryBias]
        : [];
  const projections = sizes(inputs.map(({ weight }) => weight.data));
  const biases = sizes([...inputs, weights.output].map(({ bias }) => bias));
  const embeddings = sizes(vectors.map((vector) => vector?.data ?? null));
  const output = sizes([weights.output.weight.data]);
  return { projections, biases, embeddings, output, total: projections + biases + embeddings + output };
}

function sizes(arrays: readonly (Float64Array | null)[]): bigint {
  return arrays.reduce((total, array) => total + BigInt(array?.length ?? 0), 0n);
}
