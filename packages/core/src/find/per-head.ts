import { broadcastSource } from './evaluate.js';
import type { Inquiry } from './inquiry.js';
import { movesElements, numbersAt } from './layout.js';
import { Refusal } from './refusal.js';

/** The scores at one step, each with a number for its batch, query and key that is the same for all heads. */
export interface PlacedScores {
  readonly dims: readonly number[];
  readonly rest: Int32Array;
}

/** As many nodes are looked at to tell a mask that was copied for every head from one of its own. */
const MOST_NODES = 64;

/** Whether a value that meets the scores may differ between heads; one mask that is copied for every head does not. */
export function differsByHead(inquiry: Inquiry, side: string, scores: PlacedScores): boolean {
  try {
    const source = broadcastSource(inquiry.dims(side), scores.dims);
    return !isShared(inquiry, side, source, scores.rest, { left: MOST_NODES });
  } catch (error) {
    if (error instanceof Refusal) return true;
    throw error;
  }
}

/** @param source - the element of the value at every score. */
function isShared(
  inquiry: Inquiry,
  id: string,
  source: Int32Array,
  rest: Int32Array,
  budget: { left: number },
): boolean {
  if (budget.left-- === 0) return false;
  const numbers = inquiry.value(id)?.numbers;
  if (isFunctionOf(source, rest) || (numbers && isFunctionOf(numbersAt(numbers, source), rest))) return true;
  const node = inquiry.producer(id);
  if (!node) return false;
  const isSharedBefore = (input: string, from: Int32Array) =>
    isShared(
      inquiry,
      input,
      source.map((at) => from[at] as number),
      rest,
      budget,
    );
  if (movesElements(node)) return isSharedBefore(node.inputs[0] as string, inquiry.layout(node, id).source());
  switch (node.operator.kind) {
    case 'binary':
    case 'unary':
    case 'cast':
    case 'where': {
      const dims = inquiry.dims(id);
      return node.inputs.every((input) => isSharedBefore(input, broadcastSource(inquiry.dims(input), dims)));
    }
    default:
      return false;
  }
}

/** Whether places with the same key have the same value. */
function isFunctionOf(values: Int32Array | Float64Array, keys: Int32Array): boolean {
  const known = new Map<number, number>();
  return keys.every((key, i) => {
    const value = values[i] as number;
    const before = known.get(key);
    if (before === undefined) known.set(key, value);
    return before === undefined || Object.is(before, value);
  });
}
