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
  /** `[batch, 1, keys, valueGroups * valueHeadDim]`. */
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
  const valueGroups = groupCount(groups.value);

  const scores = rules.beforeSoftmax(port.matMul(query, port.transpose(key, [0, 1, 3, 2])));
  const probabilities = port.softmax(scores);
  const factors = port.exp(port.sub(keyBias, port.max(keyBias, [2])));
  // [batch, 1, keys, heads or 1, valueHeadDim], in the order of the groups.
  let values = port.reshape(value, [0, 0, 0, valueGroups, valueHeadDim]);
  const valueOrder = order.map((head) => groups.value[head] as number);
  if (valueGroups > 1 && !isIdentity(valueOrder)) values = port.gather(values, valueOrder, 3);
  const weighted = port.reshape(port.mul(port.unsqueeze(factors, [4]), values), [0, 0, 0, numHeads * valueHeadDim]);

  // Two products: with the factors as columns of the first, its width would no longer be a multiple of what kernels
  // compute at once, which costs more than reading the probabilities again.
  const sizes = heads.map((group) => group.length);
  const byGroup = splitGroups(port, probabilities, heads.length);
  const numerators = sumOverKeys(
    port,
    byGroup,
    weighted,
    sizes.map((size) => size * valueHeadDim),
  );
  const denominators = sumOverKeys(port, byGroup, factors, sizes);
  const context = port.div(
    port.reshape(numerators, [0, -1, numHeads, valueHeadDim]),
    port.reshape(denominators, [0, -1, numHeads, 1]),
  );
  const inOrder = isIdentity(order)
    ? context
    : port.gather(
        context,
        order.map((_, head) => order.indexOf(head)),
        2,
      );
  return rules.guardEmptyRows ? rules.guardEmptyRows(inOrder) : inOrder;
}

function splitGroups<T>(port: TensorPort<T>, probabilities: T, count: number): T[] {
  return count === 1 ? [probabilities] : port.split(probabilities, new Array<number>(count).fill(1), 1);
}

/** Each group's probabilities times the columns of its heads: `[batch, 1, queries, all columns]`. */
function sumOverKeys<T>(port: TensorPort<T>, byGroup: readonly T[], columns: T, widths: readonly number[]): T {
  const parts = widths.length === 1 ? [columns] : port.split(columns, widths, 3);
  const products = byGroup.map((probabilities, group) => port.matMul(probabilities, parts[group] as T));
  return products.length === 1 ? (products[0] as T) : port.concat(products, 3);
}
