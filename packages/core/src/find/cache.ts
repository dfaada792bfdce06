import type { Inquiry } from './inquiry.js';
import { sources } from './inquiry.js';
import { elementCount, stridesOf } from './layout.js';
import { Refusal } from './refusal.js';
import type { ViewNode } from './view.js';

/** Keys or values joined to those of earlier positions. */
export interface CacheStep {
  readonly node: ViewNode;
  /** The input of the graph that brings the earlier ones. */
  readonly past: string;
  /** What they are joined to. */
  readonly current: string;
  /** The axis of positions. */
  readonly axis: number;
  readonly pastFirst: boolean;
}

/** Reads a concatenation as a cache; `undefined` where no operand is an input of the graph. */
export function cacheStep(inquiry: Inquiry, node: ViewNode): CacheStep | undefined {
  if (node.operator.kind !== 'concat') return undefined;
  const isInput = (id: string) => inquiry.view.inputs.some((input) => input.id === id);
  const pasts = node.inputs.filter(isInput);
  if (pasts.length === 0) return undefined;
  const current = node.inputs.find((input) => !isInput(input));
  if (pasts.length > 1 || node.inputs.length !== 2 || current === undefined) {
    throw new Refusal(`${node.source} joins more than a cache and what is new`, sources(node));
  }
  const past = pasts[0] as string;
  const rank = inquiry.dims(current).length;
  const { axis } = node.operator;
  return { node, past, current, axis: axis < 0 ? axis + rank : axis, pastFirst: node.inputs[0] === past };
}

/**
 * The join, element by element: for each element of the result, the element of the new part that lies at the same place
 * apart from the position, and the position among the earlier ones (-1 for what is new).
 */
export function joinedSource(
  inquiry: Inquiry,
  { node, past, current, axis, pastFirst }: CacheStep,
): { readonly dims: readonly number[]; readonly source: Int32Array; readonly earlier: Int32Array } {
  const dims = inquiry.dims(node.outputs[0] ?? '');
  const own = inquiry.dims(current);
  const count = inquiry.dims(past)[axis] as number;
  const start = pastFirst ? count : 0;
  const [strides, ownStrides] = [stridesOf(dims), stridesOf(own)];
  const total = elementCount(dims);
  const [source, earlier] = [new Int32Array(total), new Int32Array(total)];
  for (let i = 0; i < total; i++) {
    let at = 0;
    let before = -1;
    for (let a = 0; a < dims.length; a++) {
      let place = Math.floor(i / (strides[a] as number)) % (dims[a] as number);
      if (a === axis) {
        const inPast = pastFirst ? place < count : place >= (own[axis] as number);
        before = inPast ? (pastFirst ? place : place - (own[axis] as number)) : -1;
        place = inPast ? 0 : place - start;
      }
      at += place * (ownStrides[a] as number);
    }
    source[i] = at;
    earlier[i] = before;
  }
  return { dims, source, earlier };
}
