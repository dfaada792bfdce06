import { additiveMaskRule, type ScoreRules } from '@mhe/core';
import {
  add,
  cast,
  expandDims,
  greaterEqual,
  logicalAnd,
  mul,
  range,
  reshape,
  sub,
  type Tensor,
} from '@tensorflow/tfjs-core';
import { tfjsPort } from '../port/tfjs-port.js';

/** Everything that may hide keys from queries in one call. */
export interface AttentionMasks {
  /** `[batch, queries, keys]`, `[queries, keys]` or `[batch, heads or 1, queries, keys]`. */
  readonly attention: Tensor | null;
  /** Numbers to add to the scores, of the same axes. */
  readonly added: Tensor | null;
  /** Keras masks, `[batch, queries]` and `[batch, keys]`. */
  readonly query: Tensor | null;
  readonly value: Tensor | null;
  readonly key: Tensor | null;
  readonly causal: boolean;
}

/**
 * Taken off the scores of hidden keys, as in Keras 2, whose models tfjs loads: a row without any key spreads evenly. (Keras 3
 * gives such a row a context of 0.)
 */
const hidden = 1e9;

/** Sizes of one call. */
export interface AttentionLengths {
  readonly batch: number;
  readonly queries: number;
  readonly keys: number;
}

/** The masks together as one addition to the scores; `null` where there is none. All of them must allow a key. */
export function maskRule(masks: AttentionMasks, lengths: AttentionLengths): ScoreRules<Tensor> | null {
  const allowed = [
    masks.attention && attentionAxes(masks.attention, lengths),
    masks.query && reshape(kerasMask('query', masks.query, lengths.queries), [-1, 1, lengths.queries, 1]),
    masks.value && reshape(kerasMask('value', masks.value, lengths.keys), [-1, 1, 1, lengths.keys]),
    masks.key &&
      masks.key !== masks.value &&
      reshape(kerasMask('key', masks.key, lengths.keys), [-1, 1, 1, lengths.keys]),
    masks.causal && causalMask(lengths.queries, lengths.keys),
  ].filter((mask) => mask instanceof Object);
  const parts = masks.added ? [attentionAxes(masks.added, lengths)] : [];
  if (allowed.length > 0) {
    const together = allowed.map((mask) => cast(mask, 'bool')).reduce((a, b) => logicalAnd(a, b));
    parts.push(mul(sub(cast(together, 'float32'), 1), hidden));
  }
  if (parts.length === 0) return null;
  const sum = parts.reduce((a, b) => add(a, b));
  return additiveMaskRule(tfjsPort, sum, (sum.shape.at(-3) ?? 1) > 1 ? 'per head' : 'all heads');
}

/** The mask itself, once it has a value for each place: reshaped, others could be taken for another batch's. */
function kerasMask(stream: string, mask: Tensor, length: number): Tensor {
  if (mask.shape.at(-1) === length) return mask;
  throw new Error(`the mask of the ${stream} must be [batch, ${length}], got [${mask.shape.join(', ')}]`);
}

/** From what Keras takes to `[batch, heads, queries, keys]`. */
function attentionAxes(mask: Tensor, { batch, queries, keys }: AttentionLengths): Tensor {
  const [ofQueries, ofKeys] = mask.shape.slice(-2);
  const fits = (ofQueries === queries || ofQueries === 1) && (ofKeys === keys || ofKeys === 1);
  if (mask.rank >= 2 && mask.rank <= 4 && !fits) {
    throw new Error(
      `attentionMask: its last two axes must be ${queries} queries and ${keys} keys, or 1, got [${mask.shape.join(', ')}]`,
    );
  }
  const ofBatch = mask.rank > 2 ? mask.shape[0] : 1;
  if (mask.rank <= 4 && ofBatch !== batch && ofBatch !== 1) {
    throw new Error(
      `attentionMask: its first axis must be the batch of ${batch}, or 1, got [${mask.shape.join(', ')}]`,
    );
  }
  if (mask.rank === 3) return expandDims(mask, 1);
  if (mask.rank === 2 || mask.rank === 4) return mask;
  throw new Error(
    `attentionMask must have axes [batch, queries, keys], [queries, keys] or [batch, heads, queries, keys], got ${mask.rank} of them`,
  );
}

/** As Keras: query `i` sees the keys up to `i`, counted from the first on both sides. */
function causalMask(queries: number, keys: number): Tensor {
  return greaterEqual(reshape(range(0, queries), [queries, 1]), reshape(range(0, keys), [1, keys]));
}
