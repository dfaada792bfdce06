import type { Matrix } from '../float64/matrix.js';
import { isIdentity } from './head-groups.js';
import type { TensorPort } from './port.js';
import type { Embedding } from './weights.js';

/** Queries, keys or values with an axis of heads: `[batch, count, length, size]`. A `count` of 1 serves all heads. */
export interface Heads<T> {
  readonly tensor: T;
  readonly count: number;
}

/** From groups to heads, by each head's group number. One group stays one, for broadcasting. */
export function spreadGroups<T>(port: TensorPort<T>, shared: Heads<T>, groups: readonly number[]): Heads<T> {
  if (shared.count === 1 || isIdentity(groups)) return shared;
  return { tensor: port.gather(shared.tensor, groups, 1), count: groups.length };
}

/** The one group that serves all heads, written out for each of them. */
export function repeatHeads<T>(port: TensorPort<T>, shared: Heads<T>, numHeads: number): Heads<T> {
  if (shared.count === numHeads) return shared;
  return { tensor: port.gather(shared.tensor, new Array<number>(numHeads).fill(0), 1), count: numHeads };
}

/**
 * Multiplies (`mul`) or shifts (`add`) each head by its own vector; a step that changes nothing is left out.
 *
 * @param vectors - `[heads, size]`, the factors or summands themselves.
 */
export function applyPerHead<T>(port: TensorPort<T>, heads: Heads<T>, how: Embedding, vectors: Matrix): Heads<T> {
  const neutral = how === 'mul' ? 1 : 0;
  if (vectors.data.every((x) => x === neutral)) return heads;
  const constant = port.constant(vectors.data, [vectors.rows, 1, vectors.cols]);
  return { tensor: port[how](heads.tensor, constant), count: vectors.rows };
}
