import type { Inquiry } from './inquiry.js';
import { normaliseAxis } from './layout.js';
import type { ViewNode } from './view.js';

/** Elements divided by the root of the mean of their squares, their mean taken off first where `centred`. */
export interface NormStep {
  /** What is normalised. */
  readonly entry: string;
  /** Axes whose elements are normalised together. */
  readonly axes: readonly number[];
  /** Added to the mean of the squares. */
  readonly epsilon: number;
  readonly centred: boolean;
  /** The nodes from the entry to the result, in no order. */
  readonly nodes: readonly ViewNode[];
}

/**
 * Reads what ends in a value as a normalisation (the part of RMSNorm and LayerNorm before their weights), as one operator or
 * written out; `undefined` where it is none.
 */
export function normStep(inquiry: Inquiry, id: string): NormStep | undefined {
  const node = inquiry.producer(id);
  if (!node) return undefined;
  const { operator, inputs } = node;
  if (operator.kind === 'normalise') {
    const entry = inputs[0] as string;
    const rank = inquiry.dims(entry).length;
    const first = normaliseAxis(operator.axis, rank);
    if (first === undefined) return undefined;
    const axes = Array.from({ length: rank - first }, (_, i) => first + i);
    return { entry, axes, epsilon: operator.epsilon, centred: operator.centred, nodes: [node] };
  }
  if (operator.kind !== 'binary') return undefined;
  const [a = '', b = ''] = inputs;
  if (operator.name === 'div') return divided(inquiry, a, rootOf(inquiry, b), [node]);
  if (operator.name !== 'mul') return undefined;
  return (
    divided(inquiry, a, reciprocalRootOf(inquiry, b), [node]) ??
    divided(inquiry, b, reciprocalRootOf(inquiry, a), [node])
  );
}

/** The mean of squares, with what is added to it. */
interface MeanSquare {
  readonly squared: string;
  readonly axes: readonly number[];
  readonly epsilon: number;
  readonly nodes: readonly ViewNode[];
}

function divided(
  inquiry: Inquiry,
  value: string,
  mean: MeanSquare | undefined,
  nodes: readonly ViewNode[],
): NormStep | undefined {
  if (!mean) return undefined;
  const [own, theirs] = [withoutCasts(inquiry, value), withoutCasts(inquiry, mean.squared)];
  if (own.value !== theirs.value) return undefined;
  const known = { axes: mean.axes, epsilon: mean.epsilon };
  const inside = [...nodes, ...mean.nodes, ...own.nodes, ...theirs.nodes];
  const centre = centreOf(inquiry, own.value, mean.axes);
  if (centre) return { ...known, entry: centre.entry, centred: true, nodes: each([...inside, ...centre.nodes]) };
  // A cast that the squares share with the value belongs to what is before.
  return { ...known, entry: own.value, centred: false, nodes: each(inside) };
}

/** `1 / root`, `root^-1`, or the power of -0.5. */
function reciprocalRootOf(inquiry: Inquiry, id: string): MeanSquare | undefined {
  const { value, nodes } = withoutCasts(inquiry, id);
  const node = inquiry.producer(value);
  const [a = '', b = ''] = node?.inputs ?? [];
  const { operator } = node ?? {};
  if (!node || !operator) return undefined;
  if (operator.kind === 'unary' && operator.name === 'reciprocal') return including(rootOf(inquiry, a), node, nodes);
  if (operator.kind !== 'binary') return undefined;
  if (operator.name === 'div' && isNumber(inquiry, a, 1)) return including(rootOf(inquiry, b), node, nodes);
  if (operator.name === 'pow' && isNumber(inquiry, b, -1)) return including(rootOf(inquiry, a), node, nodes);
  return operator.name === 'pow' && isNumber(inquiry, b, -0.5)
    ? including(meanSquareOf(inquiry, a), node, nodes)
    : undefined;
}

function rootOf(inquiry: Inquiry, id: string): MeanSquare | undefined {
  const { value, nodes } = withoutCasts(inquiry, id);
  const node = inquiry.producer(value);
  const [a = '', b = ''] = node?.inputs ?? [];
  const { operator } = node ?? {};
  const isRoot =
    (operator?.kind === 'unary' && operator.name === 'sqrt') ||
    (operator?.kind === 'binary' && operator.name === 'pow' && isNumber(inquiry, b, 0.5));
  return node && isRoot ? including(meanSquareOf(inquiry, a), node, nodes) : undefined;
}

function meanSquareOf(inquiry: Inquiry, id: string): MeanSquare | undefined {
  const node = inquiry.producer(id);
  if (!node) return undefined;
  const { operator, inputs } = node;
  if (operator.kind === 'binary' && operator.name === 'add') {
    const [a = '', b = ''] = inputs;
    for (const [mean, side] of [
      [a, b],
      [b, a],
    ] as const) {
      const added = inquiry.coefficients(side)?.numbers;
      const found = added?.length === 1 ? meanSquareOf(inquiry, mean) : undefined;
      if (found) return including({ ...found, epsilon: found.epsilon + (added?.[0] as number) }, node, []);
    }
    return undefined;
  }
  const mean = meanOf(inquiry, id);
  const square = mean && inquiry.producer(mean.entry);
  const [a = '', b = ''] = square?.inputs ?? [];
  const isSquare =
    square?.operator.kind === 'binary' &&
    ((square.operator.name === 'pow' && isNumber(inquiry, b, 2)) || (square.operator.name === 'mul' && a === b));
  return mean && isSquare
    ? { squared: a, axes: mean.axes, epsilon: 0, nodes: [...mean.nodes, square as ViewNode] }
    : undefined;
}

/** A mean over axes that are kept. */
function meanOf(inquiry: Inquiry, id: string) {
  const { value, nodes } = withoutCasts(inquiry, id);
  const node = inquiry.producer(value);
  if (node?.operator.kind !== 'reduce' || node.operator.name !== 'mean' || !node.operator.keepDims) return undefined;
  const entry = node.inputs[0] as string;
  const rank = inquiry.dims(entry).length;
  const given = node.inputs[1]
    ? inquiry.value(node.inputs[1])?.numbers
    : Float64Array.from({ length: rank }, (_, i) => i);
  const axes = given && [...given].map((axis) => normaliseAxis(axis, rank));
  if (!axes || axes.includes(undefined)) return undefined;
  return { entry, axes: (axes as number[]).sort((one, other) => one - other), nodes: [node, ...nodes] };
}

/** What a value is without its mean. */
function centreOf(inquiry: Inquiry, id: string, axes: readonly number[]) {
  const node = inquiry.producer(id);
  if (node?.operator.kind !== 'binary' || node.operator.name !== 'sub') return undefined;
  const [a = '', b = ''] = node.inputs;
  const mean = meanOf(inquiry, b);
  if (!mean || mean.axes.join() !== axes.join()) return undefined;
  const [own, theirs] = [withoutCasts(inquiry, a), withoutCasts(inquiry, mean.entry)];
  if (own.value !== theirs.value) return undefined;
  return { entry: own.value, nodes: [node, ...mean.nodes, ...own.nodes, ...theirs.nodes] };
}

function including(mean: MeanSquare | undefined, node: ViewNode, nodes: readonly ViewNode[]): MeanSquare | undefined {
  return mean && { ...mean, nodes: [...mean.nodes, node, ...nodes] };
}

/** A value before the changes of its type, as mixed precision has them around a norm. */
function withoutCasts(inquiry: Inquiry, id: string): { readonly value: string; readonly nodes: readonly ViewNode[] } {
  const nodes: ViewNode[] = [];
  let value = id;
  for (let node = inquiry.producer(value); node; node = inquiry.producer(value)) {
    if (node.operator.kind !== 'cast' || node.operator.to !== 'float') break;
    nodes.push(node);
    value = node.inputs[0] as string;
  }
  return { value, nodes };
}

function isNumber(inquiry: Inquiry, id: string, wanted: number): boolean {
  const numbers = inquiry.coefficients(id)?.numbers;
  return numbers?.length === 1 && numbers[0] === wanted;
}

function each(nodes: readonly ViewNode[]): ViewNode[] {
  return [...new Set(nodes)];
}
