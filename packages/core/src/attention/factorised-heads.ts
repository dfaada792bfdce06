import { groupCount, headsByGroup, isIdentity } from './head-groups.js';
import type { TensorPort } from './port.js';
import type { ScoreRules } from './score-rules.js';
import type { FoldedMheWeights } from './weights.js';

/** What the factorised form reads, projected. Axes of heads are in the order of {@link headsByGroup}. */
export interface FactorisedTensors<T> {
  /** `[batch, queryKeyGroups, queries, headDim]`, without the heads' biases. */
  readonly query: T;
  /** `[batch, queryKeyGroups, keys, headDim]`. */
  readonly key: T;
  /** `[batch, 1, keys, valueGroups * (valueHeadDim + 1)]`: after each group's features one that is always 1. */
  readonly value: T;
  /** `[batch, 1, keys, numHeads]`: what a head's query bias adds to the scores of each key, the scale included. */
  readonly keyBias: T;
}

/**
 * The factorised form from its projected parts; `attendFactorisedMheHeadsLast` explains it and says what the rules must
 * be like, which is not checked here.
 *
 * @returns `[batch, queries, numHeads, valueHeadDim]`.
 */
export function attendFactorisedHeads<T>(
  port: TensorPort<T>,
  { query, key, value, keyBias }: FactorisedTensors<T>,
  { numHeads, valueHeadDim, groups }: Pick<FoldedMheWeights, 'numHeads' | 'valueHeadDim' | 'groups'>,
  rules: ScoreRules<T>,
): T {
  const heads = headsByGroup(groups.queryKey);
  const order = heads.flat();
  const augmentedDim = valueHeadDim + 1;
  const valueGroups = groupCount(groups.value);

  const scores = rules.beforeSoftmax(port.matMul(query, port.transpose(key, [0, 1, 3, 2])));
  const probabilities = port.softmax(scores);
  const factors = port.exp(port.sub(keyBias, port.max(keyBias, [2])));
  // [batch, 1, keys, heads or 1, valueHeadDim + 1], in the order of the groups.
  let values = port.reshape(value, [0, 0, 0, valueGroups, augmentedDim]);
  const valueOrder = order.map((head) => groups.value[head] as number);
  if (valueGroups > 1 && !isIdentity(valueOrder)) values = port.gather(values, valueOrder, 3);
  const weighted = port.mul(port.unsqueeze(factors, [4]), values);

  const sums = sumOverKeys(port, probabilities, weighted, heads, augmentedDim);
  const byHead = port.reshape(sums, [0, -1, numHeads, augmentedDim]);
  const inOrder = isIdentity(order)
    ? byHead
    : port.gather(
        byHead,
        order.map((_, head) => order.indexOf(head)),
        2,
      );
  const [numerators, denominators] = port.split(inOrder, [valueHeadDim, 1], 3) as [T, T];
  const context = port.div(numerators, denominators);
  return rules.guardEmptyRows ? rules.guardEmptyRows(context) : context;
}

/** Each group's probabilities times its heads' weighted values: `[batch, 1, queries, heads * augmentedDim]`. */
function sumOverKeys<T>(
  port: TensorPort<T>,
  probabilities: T,
  weighted: T,
  heads: readonly (readonly number[])[],
  augmentedDim: number,
): T {
  const asMatrix = (part: T, count: number) => port.reshape(part, [0, 0, 0, count * augmentedDim]);
  const sizes = heads.map((group) => group.length);
  if (heads.length === 1) return port.matMul(probabilities, asMatrix(weighted, sizes[0] as number));
  const groupProbabilities = port.split(
    probabilities,
    sizes.map(() => 1),
    1,
  );
  const groupValues = port.split(weighted, sizes, 3);
  const products = groupValues.map((part, group) =>
    port.matMul(groupProbabilities[group] as T, asMatrix(part, sizes[group] as number)),
  );
  return port.concat(products, 3);
}
