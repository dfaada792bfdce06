import { isProduct } from './contraction.js';
import { broadcastDims, broadcastSource } from './evaluate.js';
import type { Inquiry } from './inquiry.js';
import { quoted, sources } from './inquiry.js';
import { elementCount, movesElements, normaliseAxis } from './layout.js';
import { isQuantised, named } from './quantised.js';
import { Refusal } from './refusal.js';
import type { ViewNode } from './view.js';

/** Longest way between the product of queries and keys and the softmax, and after it. */
const LONGEST_CHAIN = 24;

/** One step on the scores between their product and the product with the values. */
export type ScoreStep =
  | { readonly kind: 'scale'; readonly factor: number }
  /** Adds `side`, which does not depend on the scores. */
  | { readonly kind: 'add'; readonly side: string }
  /** Keeps the scores where a condition says so, puts another value elsewhere. */
  | { readonly kind: 'mask'; readonly condition: string; readonly side: string; readonly keepsWhere: boolean }
  /** Multiplies by `side`: a constant that is not one number, or a mask of zeros and ones. */
  | { readonly kind: 'multiply'; readonly side: string }
  /** `max(scores, side)` or `min`, against overflow of a mask. */
  | { readonly kind: 'clamp'; readonly side: string }
  /** Keeps the scores within bounds by a smooth function (the soft cap of Gemma 2). */
  | { readonly kind: 'cap' }
  | { readonly kind: 'layout' }
  | { readonly kind: 'cast' }
  /** Puts zero where the softmax gave no number (rows without any key). */
  | { readonly kind: 'guard' };

/** Values that a step brings in from beside the scores. */
export function sidesOf(step: ScoreStep): readonly string[] {
  switch (step.kind) {
    case 'add':
    case 'multiply':
      return [step.side];
    case 'mask':
      return [step.condition, step.side];
    default:
      return [];
  }
}

/** A step with the node that takes it. */
export interface PlacedStep {
  readonly step: ScoreStep;
  readonly node: ViewNode;
  readonly input: string;
  readonly output: string;
}

/** The scores of one softmax: the product they come from and what is done to them until the values' product. */
export interface ScoreChain {
  readonly product: ViewNode;
  readonly before: readonly PlacedStep[];
  readonly softmax: ViewNode;
  readonly softmaxAxis: number;
  readonly after: readonly PlacedStep[];
  /** The product with the values, and which of its operands the probabilities are. */
  readonly context: ViewNode;
  readonly probabilities: string;
}

/** Follows a softmax back to the product of queries and keys, and on to the product with the values. */
export function scoreChain(inquiry: Inquiry, softmax: ViewNode): ScoreChain {
  if (softmax.operator.kind !== 'softmax') throw new TypeError('not a softmax');
  const input = softmax.inputs[0] ?? '';
  const dims = inquiry.dims(input);
  const axis = normaliseAxis(softmax.operator.axis, dims.length);
  if (axis === undefined) throw new Refusal(`the softmax has no axis ${softmax.operator.axis}`, sources(softmax));
  if (softmax.operator.flattened && elementCount(dims.slice(axis + 1)) !== 1) {
    throw new Refusal('the softmax runs over several axes at once', sources(softmax));
  }
  const forward = towardsContext(inquiry, softmax);
  const backward = towardsProduct(inquiry, input, 0, new Map());
  if (!backward) {
    throw new Refusal('its input is no product of queries and keys', sources(inquiry.producer(input)));
  }
  return { ...backward, softmax, softmaxAxis: axis, ...forward };
}

/** @param dead - values that lead to no product, with the fewest steps that they were reached in. */
function towardsProduct(
  inquiry: Inquiry,
  id: string,
  depth: number,
  dead: Map<string, number>,
): { readonly product: ViewNode; readonly before: readonly PlacedStep[] } | undefined {
  const node = inquiry.producer(id);
  if (!node || depth > LONGEST_CHAIN || inquiry.isFixed(id)) return undefined;
  if ((dead.get(id) ?? Number.POSITIVE_INFINITY) <= depth) return undefined;
  if (isProduct(node.operator)) {
    // A product with a constant is a gate or a constant memory, whatever its softmax looks like.
    if (node.inputs.some((input) => inquiry.isFixed(input))) return undefined;
    return { product: node, before: [] };
  }
  const candidates = scoreOperands(inquiry, node);
  const found = candidates.flatMap(({ input, step }) => {
    const rest = towardsProduct(inquiry, input, depth + 1, dead);
    return rest ? [{ product: rest.product, before: [...rest.before, { step, node, input, output: id }] }] : [];
  });
  if (found.length > 1) throw new Refusal('its scores are a sum of several products', sources(node));
  if (found.length === 0) dead.set(id, depth);
  return found[0];
}

/** The operands of a node that could be scores, with what the node then does to them. */
function scoreOperands(inquiry: Inquiry, node: ViewNode): readonly { input: string; step: ScoreStep }[] {
  const [a = '', b = '', c = ''] = node.inputs;
  const { operator } = node;
  if (movesElements(node)) return [{ input: a, step: { kind: 'layout' } }];
  switch (operator.kind) {
    case 'cast':
      return operator.to === 'float' ? [{ input: a, step: { kind: 'cast' } }] : [];
    case 'unary':
      return operator.name === 'Tanh' ? [{ input: a, step: { kind: 'cap' } }] : [];
    case 'where':
      return [
        { input: b, step: { kind: 'mask', condition: a, side: c, keepsWhere: true } },
        { input: c, step: { kind: 'mask', condition: a, side: b, keepsWhere: false } },
      ];
    case 'binary':
      switch (operator.name) {
        case 'add':
          return [
            { input: a, step: { kind: 'add', side: b } },
            { input: b, step: { kind: 'add', side: a } },
          ];
        case 'sub':
          return [{ input: a, step: { kind: 'add', side: b } }];
        case 'min':
        case 'max':
          return [
            { input: a, step: { kind: 'clamp', side: b } },
            { input: b, step: { kind: 'clamp', side: a } },
          ];
        case 'mul':
          return [...scaledOperand(inquiry, a, b, false), ...scaledOperand(inquiry, b, a, false)];
        case 'div':
          return scaledOperand(inquiry, a, b, true);
        default:
          return [];
      }
    default:
      return [];
  }
}

/** Scores times (or by) one number, a constant, or a mask. */
function scaledOperand(
  inquiry: Inquiry,
  input: string,
  side: string,
  divides: boolean,
): readonly { input: string; step: ScoreStep }[] {
  const known = inquiry.coefficients(side);
  if (known?.numbers.length === 1) {
    const factor = known.numbers[0] as number;
    return [{ input, step: { kind: 'scale', factor: divides ? 1 / factor : factor } }];
  }
  return known || isMask(inquiry, side, 0) ? [{ input, step: { kind: 'multiply', side } }] : [];
}

/** Whether numbers come from truths or whole numbers by a cast. */
function isMask(inquiry: Inquiry, id: string, depth: number): boolean {
  const node = inquiry.producer(id);
  if (!node || depth > LONGEST_CHAIN) return false;
  if (node.operator.kind === 'cast') return inquiry.value(node.inputs[0] ?? '')?.type !== 'float';
  return movesElements(node) && isMask(inquiry, node.inputs[0] ?? '', depth + 1);
}

interface WayToContext {
  readonly after: readonly PlacedStep[];
  readonly context: ViewNode;
  readonly probabilities: string;
}

function towardsContext(inquiry: Inquiry, softmax: ViewNode): WayToContext {
  const ways = waysToContext(inquiry, softmax.outputs[0] ?? '', [], new Set());
  const way = ways[0];
  if (!way) {
    const quantised = inquiry.readers(softmax.outputs[0] ?? '').find(isQuantised);
    if (quantised) {
      throw new Refusal(
        `its probabilities go to ${named(quantised)}: quantised attention is not swapped`,
        sources(quantised),
      );
    }
    throw new Refusal('nothing is weighted by it', sources(softmax));
  }
  if (ways.length > 1) {
    throw new Refusal('its probabilities enter several products', sources(...ways.map(({ context }) => context)));
  }
  const other = way.context.inputs.find((input) => input !== way.probabilities);
  if (other === undefined || inquiry.isFixed(other)) {
    throw new Refusal('it weights constants, not projected values', sources(way.context));
  }
  return way;
}

/** Every way from a value to a product; readers that lead to none only look on. */
function waysToContext(inquiry: Inquiry, at: string, after: readonly PlacedStep[], seen: Set<string>): WayToContext[] {
  if (after.length > LONGEST_CHAIN || seen.has(at)) return [];
  seen.add(at);
  return inquiry.readers(at).flatMap((node) => {
    if (isProduct(node.operator)) return [{ after, context: node, probabilities: at }];
    const step = stepAfter(inquiry, node, at);
    const output = node.outputs[0] ?? '';
    return step ? waysToContext(inquiry, output, [...after, { step, node, input: at, output }], seen) : [];
  });
}

function scoreValues(chain: ScoreChain): readonly string[] {
  return [chain.product.outputs[0] ?? '', ...chain.before.map(({ output }) => output)];
}

function probabilityValues(chain: ScoreChain): readonly string[] {
  return [chain.softmax.outputs[0] ?? '', ...chain.after.map(({ output }) => output)];
}

/** What of a chain something outside it reads; who only asks for a size reads nothing. */
export function readOutside(inquiry: Inquiry, chain: ScoreChain): readonly ('scores' | 'probabilities')[] {
  const inside = new Set([...chain.before, ...chain.after].map(({ node }) => node));
  const isInside = (node: ViewNode) =>
    inside.has(node) || node === chain.softmax || node === chain.context || isNotANumberTest(node);
  const isRead = (value: string) => inquiry.isOutput(value) || !inquiry.readers(value).every(isInside);
  const [scores, probabilities] = [scoreValues(chain), probabilityValues(chain)];
  return [
    ...(scores.some(isRead) ? (['scores'] as const) : []),
    ...(probabilities.some(isRead) ? (['probabilities'] as const) : []),
  ];
}

/** Whether something asks for the size of the scores or the probabilities, the number of heads in it. */
export function isSizeRead(inquiry: Inquiry, chain: ScoreChain): boolean {
  return [...scoreValues(chain), ...probabilityValues(chain)].some(
    (value) => inquiry.readers(value).length < inquiry.consumers(value).length,
  );
}

function isNotANumberTest(node: ViewNode): boolean {
  return node.operator.kind === 'unary' && node.operator.name === 'isnan';
}

function stepAfter(inquiry: Inquiry, node: ViewNode, at: string): ScoreStep | undefined {
  if (movesElements(node)) return node.inputs[0] === at ? { kind: 'layout' } : undefined;
  if (node.operator.kind === 'cast' && node.operator.to === 'float') return { kind: 'cast' };
  if (node.operator.kind === 'where' && node.inputs[2] === at) {
    const test = inquiry.producer(node.inputs[0] ?? '');
    const fill = inquiry.coefficients(node.inputs[1] ?? '');
    if (!fill?.numbers.every((x) => x === 0)) return undefined;
    if (test && isNotANumberTest(test) && test.inputs[0] === at) return { kind: 'guard' };
    return { kind: 'mask', condition: node.inputs[0] ?? '', side: node.inputs[1] ?? '', keepsWhere: false };
  }
  return undefined;
}

/** Carries one number per element of a value along steps of a chain. */
export function carry(
  inquiry: Inquiry,
  steps: readonly PlacedStep[],
  start: { readonly dims: readonly number[]; readonly codes: Int32Array },
): { readonly dims: readonly number[]; readonly codes: Int32Array } {
  let { dims, codes } = start;
  for (const { node, output } of steps) {
    if (movesElements(node)) {
      const layout = inquiry.layout(node, output);
      const source = layout.source();
      const from = codes;
      codes = source.map((at) => from[at] as number);
      dims = layout.dims;
      continue;
    }
    const after = inquiry.dims(output);
    if (elementCount(after) !== elementCount(dims) || after.length !== dims.length) {
      const spread = broadcastDims([dims, after]);
      if (!spread || spread.join() !== after.join()) {
        throw new Refusal(`${node.source} changes the size of ${quoted(output)}`, sources(node));
      }
      const from = codes;
      codes = broadcastSource(dims, after).map((at) => from[at] as number);
      dims = after;
    }
  }
  return { dims, codes };
}
