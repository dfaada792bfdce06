import { isIdentity } from '../attention/head-groups.js';
import type { HeadColumns } from './heads.js';
import type { Inquiry } from './inquiry.js';
import { sources } from './inquiry.js';
import { Refusal } from './refusal.js';
import type { ProjectedValue } from './trace.js';
import type { ViewNode } from './view.js';

/** A value that the new keys or values take the place of, for what asks for its size. */
export interface Restated {
  readonly value: string;
  /** From `[batch, head, position, feature]`, or `[batch and head, position, feature]`, to its axes. */
  readonly permutation: readonly number[];
  /** Whether its number of heads is asked for, not only its other sizes. */
  readonly headsAsked: boolean;
}

const APART: readonly string[] = ['batch', 'head', 'sequence', 'feature'];
const MERGED: readonly string[] = ['merged', 'sequence', 'feature'];

/**
 * Values between the place where keys or values are shared or cached and the product whose size something asks for (a
 * mask that is cut to the keys, say). The new ones have other heads before that, so that these have to be made anew.
 *
 * @param axes - what each axis of the product's operand is, where that is told: `batch` and `head` (or `merged`), `sequence`,
 *   `feature`.
 */
export function restatedValues(
  inquiry: Inquiry,
  { states, nodes, cache }: ProjectedValue,
  { groups }: HeadColumns,
  axes: readonly string[],
  products: readonly ViewNode[],
): Restated[] {
  if (!cache && isIdentity(groups)) return [];
  const own = new Set<ViewNode>([...nodes, ...products]);
  const found: Restated[] = [];
  let order = axes.map((_, axis) => axis);
  // From the product backwards, as long as axes are only moved.
  const canonical = axes.includes('merged') ? MERGED : APART;
  let isFollowed = axes.length === canonical.length;
  for (let at = states.length - 1; at >= 0; at--) {
    const { value, dims } = states[at] as (typeof states)[number];
    // From there on backwards it is the cache itself, which stays under its own name.
    if (value === cache?.joined || (cache && inquiry.isOutput(value))) break;
    const others = inquiry.consumers(value).filter((node) => !own.has(node));
    if (dims.length !== canonical.length) isFollowed = false;
    if (others.length > 0 && isFollowed) {
      const parts = order.map((axis) => axes[axis] as string);
      const permutation = parts.map((part) => canonical.indexOf(part));
      if (!permutation.includes(-1)) {
        found.push({
          value,
          permutation,
          headsAsked: asksFor(inquiry, others, parts.indexOf(canonical === MERGED ? 'merged' : 'head')),
        });
      }
    }
    const node = inquiry.producer(value) as ViewNode;
    if (node.operator.kind === 'transpose') {
      const moved = node.operator.permutation ?? order.map((_, axis) => order.length - 1 - axis);
      const before = new Array<number>(order.length);
      moved.forEach((from, to) => {
        before[from] = order[to] as number;
      });
      order = before;
    } else if (!['binary', 'cast', 'identity'].includes(node.operator.kind)) isFollowed = false;
    if (!isFollowed && others.some((other) => inquiry.readers(value).includes(other))) {
      throw new Refusal(
        `what its heads share is read by another operator, too (${others[0]?.source})`,
        sources(...others),
      );
    }
  }
  return found;
}

/** Whether sizes that are asked for may include that of an axis. */
function asksFor(inquiry: Inquiry, nodes: readonly ViewNode[], axis: number): boolean {
  return nodes.some((node) => {
    if (node.operator.kind !== 'shape') return true;
    const { start, end } = node.operator;
    const sizes = inquiry.value(node.outputs[0] ?? '')?.dims[0] ?? 0;
    if (start > axis || (end !== null && end <= axis)) return false;
    return inquiry.consumers(node.outputs[0] ?? '').some((reader) => {
      if (reader.operator.kind !== 'gather') return true;
      const picks = inquiry.value(reader.inputs[1] ?? '')?.numbers;
      return !picks || picks.some((pick) => (pick < 0 ? pick + sizes : pick) + start === axis);
    });
  });
}
