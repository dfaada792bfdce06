import {
  attendFactorisedHeads,
  attendHeads,
  type Embedding,
  factorisedRangeLimit,
  type HeadGroups,
  type Heads,
  headsByGroup,
  type ScoreRules,
  spreadGroups,
} from '@mhe/core';
import { add, max, min, mul, reshape, sub, type Tensor, transpose } from '@tensorflow/tfjs-core';
import { tfjsPort } from '../port/tfjs-port.js';

/** Multi-head-embedding attention from its projections on: what every form reads. */
export interface EmbeddedHeads {
  readonly numHeads: number;
  readonly groups: HeadGroups;
  readonly embedding: Embedding;
  readonly scale: number;
  /** `[batch, groups, length, size]`, of the shared projections. */
  readonly query: Heads<Tensor>;
  readonly key: Heads<Tensor>;
  readonly value: Heads<Tensor>;
  /** `[numHeads, headDim]`. */
  readonly queryEmbedding: Tensor;
  /** `[numHeads, headDim]`. */
  readonly keyEmbedding: Tensor;
  /** `[numHeads, valueHeadDim]`. */
  readonly valueEmbedding: Tensor;
}

/**
 * The paper's definition (Xue & Aletras 2023, section 3): every head's queries, keys and values written out.
 *
 * @returns `[batch, queries, numHeads, valueHeadDim]`, as all forms do.
 */
export function attendDirect(heads: EmbeddedHeads, rules: ScoreRules<Tensor>): Tensor {
  const { numHeads, groups, embedding, scale } = heads;
  const embed = (shared: Heads<Tensor>, headGroups: readonly number[], vectors: Tensor): Heads<Tensor> => {
    const spread = spreadGroups(tfjsPort, shared, headGroups).tensor;
    const perHead = perHeadAxes(vectors);
    return { tensor: embedding === 'mul' ? mul(spread, add(perHead, 1)) : add(spread, perHead), count: numHeads };
  };
  const query = embed(heads.query, groups.queryKey, heads.queryEmbedding);
  const scaled = { ...query, tensor: mul(query.tensor, scale) };
  const key = embed(heads.key, groups.queryKey, heads.keyEmbedding);
  const value = embed(heads.value, groups.value, heads.valueEmbedding);
  return headsLast(attendHeads(tfjsPort, { query: scaled, key, value }, numHeads, rules));
}

/**
 * The same with keys and values shared by the heads of a group (multi-query attention at one group): queries take the
 * key embedding's factor too (MUL), or nothing, since softmax cancels what it adds (ADD); the value embedding acts on
 * the context. Exact while the probabilities of a row sum to 1 (ADD).
 */
export function attendFolded(heads: EmbeddedHeads, rules: ScoreRules<Tensor>): Tensor {
  const { numHeads, groups, embedding, scale } = heads;
  const query = spreadGroups(tfjsPort, heads.query, groups.queryKey).tensor;
  const queryVectors = perHeadAxes(heads.queryEmbedding);
  const embedded =
    embedding === 'mul'
      ? mul(query, mul(mul(add(queryVectors, 1), add(perHeadAxes(heads.keyEmbedding), 1)), scale))
      : mul(add(query, queryVectors), scale);
  const context = attendHeads(
    tfjsPort,
    {
      query: { tensor: embedded, count: numHeads },
      key: spreadGroups(tfjsPort, heads.key, groups.queryKey),
      value: spreadGroups(tfjsPort, heads.value, groups.value),
    },
    numHeads,
    rules,
  );
  return embedContext(heads, headsLast(context));
}

/**
 * MHE-ADD with one softmax a group (design of core's factorised form).
 *
 * @returns `null` where the heads' key biases lie so far apart that float32 would lose keys, in the gradient too, which
 *   divides by the square of what the forward pass divides by. Reads one number back from the backend to know it.
 */
export function attendFactorised(heads: EmbeddedHeads, rules: ScoreRules<Tensor>): Tensor | null {
  const { numHeads, groups, scale, value } = heads;
  const keys = heads.key.tensor.shape[2] as number;
  const keyBias = keyBiases(heads);
  if (!(spreadOverKeys(keyBias) <= factorisedRangeLimit('float32', keys) / 2)) return null;
  const [batch, valueGroups, , valueHeadDim] = value.tensor.shape as [number, number, number, number];
  const context = attendFactorisedHeads(
    tfjsPort,
    {
      query: mul(heads.query.tensor, scale),
      key: heads.key.tensor,
      value: reshape(headsLast(value.tensor), [batch, 1, keys, valueGroups * valueHeadDim]),
      keyBias,
    },
    { numHeads, valueHeadDim, groups },
    rules,
  );
  return embedContext(heads, context);
}

/** What a head's query embedding adds to the scores of each key: `[batch, 1, keys, numHeads]`, heads group by group. */
function keyBiases({ numHeads, groups, key, queryEmbedding, scale }: EmbeddedHeads): Tensor {
  const scaled = mul(queryEmbedding, scale);
  if (key.count === 1) return tfjsPort.matMul(key.tensor, transpose(scaled));
  const byHead = spreadGroups(tfjsPort, key, groups.queryKey).tensor;
  const vectors = reshape(scaled, [numHeads, -1, 1]);
  const biases = transpose(tfjsPort.matMul(byHead, vectors), [0, 3, 2, 1]);
  return tfjsPort.gather(biases, headsByGroup(groups.queryKey).flat(), 3);
}

function spreadOverKeys(keyBias: Tensor): number {
  return max(sub(max(keyBias, 2), min(keyBias, 2))).dataSync()[0] as number;
}

function embedContext({ embedding, valueEmbedding }: EmbeddedHeads, context: Tensor): Tensor {
  return embedding === 'mul' ? mul(context, add(valueEmbedding, 1)) : add(context, valueEmbedding);
}

/** From `[heads, size]`, to act on `[batch, heads, length, size]`. */
function perHeadAxes(vectors: Tensor): Tensor {
  const [numHeads, size] = vectors.shape as [number, number];
  return reshape(vectors, [numHeads, 1, size]);
}

/** Between `[batch, heads, length, size]` and `[batch, length, heads, size]`. */
function headsLast(heads: Tensor): Tensor {
  return transpose(heads, [0, 2, 1, 3]);
}
