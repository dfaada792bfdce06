import { contractionOf, isProduct } from './contraction.js';
import { elementCount, layoutOf, movesElements, normaliseAxis, numbersAt } from './layout.js';
import type { BinaryName, GraphView, Operator, ViewNode } from './view.js';

/** What is known of a value at one probe: its size and, where it is small, its numbers. */
export interface Evaluated {
  readonly dims: readonly number[];
  readonly numbers: Float64Array | undefined;
  /** Whether it depends on constants and sizes alone, not on what an input holds. */
  readonly fixed: boolean;
  /** Whether it depends on a size. */
  readonly sized: boolean;
  /** What its numbers are; whole ones divide without a rest. */
  readonly type: NumberType;
}

/** Kinds of numbers that a value holds. */
export type NumberType = 'float' | 'integer' | 'boolean';

/** A graph with every size replaced by a number. */
export type Evaluation = ReadonlyMap<string, Evaluated>;

/** Sizes to try: what an open dimension of an input becomes, and numbers for small integer inputs. */
export interface Probe {
  readonly inputDims: ReadonlyMap<string, readonly number[]>;
  readonly sizeOf: ReadonlyMap<string, number>;
  readonly inputNumbers: ReadonlyMap<string, Float64Array>;
}

/** Values of up to this many elements are computed: enough for shapes, positions and scalars, never a weight. */
const SMALL = 16_384;

/** As many elements of all values together are kept (32 MB); then only those of values that can be shapes. */
const BUDGET = 2 ** 22;

/** More than any shape or list of axes has. */
const SHAPE = 64;

/** No tensor that large is followed: it bounds time and memory on models that state absurd sizes. */
export const LARGEST_FOLLOWED = 2 ** 24;

/** Computes sizes and small numbers of every value, in the order of the nodes. */
export function evaluate(view: GraphView, probe: Probe): Evaluation {
  const values = new Map<string, Evaluated>();
  for (const input of view.inputs) {
    const dims = probe.inputDims.get(input.id);
    if (!dims) continue;
    const type = input.type === 'other' ? 'float' : input.type;
    values.set(input.id, { dims, numbers: probe.inputNumbers.get(input.id), fixed: false, sized: false, type });
  }
  let kept = 0;
  for (const node of view.nodes) {
    node.outputs.forEach((output, place) => {
      if (!output) return;
      const limit = kept < BUDGET ? SMALL : SHAPE;
      const value = evaluateOutput(node, place, (id) => values.get(id), limit) ?? declared(view, probe, output);
      if (!value) return;
      kept += value.numbers?.length ?? 0;
      values.set(output, value);
    });
  }
  return values;
}

function declared(view: GraphView, probe: Probe, id: string): Evaluated | undefined {
  const dims = view.declared.get(id)?.map((dim) => (typeof dim === 'string' ? probe.sizeOf.get(dim) : dim));
  return dims?.every((dim) => typeof dim === 'number')
    ? { dims, numbers: undefined, fixed: false, sized: false, type: 'float' }
    : undefined;
}

/**
 * One output of a node from its inputs.
 *
 * @param limit - numbers are computed for at most this many elements.
 */
export function evaluateOutput(
  node: ViewNode,
  place: number,
  get: (id: string) => Evaluated | undefined,
  limit: number,
): Evaluated | undefined {
  const { operator } = node;
  if (operator.kind === 'constant') {
    const numbers = elementCount(operator.dims) <= limit ? operator.read() : undefined;
    return { dims: operator.dims, numbers, fixed: true, sized: false, type: operator.type };
  }
  const inputs = node.inputs.map((id) => (id ? get(id) : undefined));
  const fixed = node.inputs.every((id, i) => !id || inputs[i]?.fixed === true);
  const sized = inputs.some((input) => input?.sized === true);
  const type = typeOf(operator, inputs);
  const made = (dims: readonly number[] | undefined, compute?: () => Float64Array | undefined) =>
    dims && { dims, numbers: elementCount(dims) <= limit ? compute?.() : undefined, fixed, sized, type };
  const listAt = (at: number) => {
    const numbers = inputs[at]?.numbers;
    return numbers && Array.from(numbers);
  };
  const first = inputs[0];

  if (movesElements(node)) {
    if (!first) return undefined;
    const layout = layoutOf(node, place, first.dims, listAt, inputs[1]?.dims);
    // A table lookup by inputs: the numbers are unknown, the size is not.
    if (!layout) return operator.kind === 'gather' ? made(gatheredDims(node, inputs)) : undefined;
    const { numbers } = first;
    return made(layout.dims, () => numbers && numbersAt(numbers, layout.source()));
  }
  switch (operator.kind) {
    case 'binary': {
      const [a, b] = inputs;
      const dims = a && b && broadcastDims([a.dims, b.dims]);
      const isWhole = operator.name === 'div' && type === 'integer';
      const apply = isWhole ? (x: number, y: number) => Math.trunc(x / y) : BINARY[operator.name];
      return made(dims, () => dims && elementwise(dims, [a, b], ([x, y]) => apply(x as number, y as number)));
    }
    case 'where': {
      const [condition, yes, no] = inputs;
      if (!condition || !yes || !no) return undefined;
      const dims = broadcastDims([condition.dims, yes.dims, no.dims]);
      return made(dims, () => dims && elementwise(dims, [condition, yes, no], ([c, x, y]) => (c ? x : y) as number));
    }
    case 'unary':
    case 'cast': {
      if (!first) return undefined;
      const apply = operator.kind === 'cast' ? CASTS[operator.to] : UNARY[operator.name];
      return made(first.dims, () => apply && first.numbers?.map(apply));
    }
    case 'softmax':
    case 'normalise':
      return first && made(first.dims);
    case 'concat': {
      const axis = first && normaliseAxis(operator.axis, first.dims.length);
      if (axis === undefined || inputs.some((input) => input?.dims.length !== first?.dims.length)) return undefined;
      const parts = inputs as Evaluated[];
      // A cache of `batch * heads` is joined to what has these sizes, which no open size agrees with.
      if (parts.some((part) => part.dims.some((dim, a) => a !== axis && dim !== first?.dims[a]))) return undefined;
      const dims = (first as Evaluated).dims.map((dim, a) =>
        a === axis ? parts.reduce((sum, part) => sum + (part.dims[axis] as number), 0) : dim,
      );
      return made(dims, () => concatenated(dims, axis, parts));
    }
    case 'shape': {
      if (!first) return undefined;
      const sizes = first.dims.slice(operator.start, operator.end ?? undefined);
      return { dims: [sizes.length], numbers: Float64Array.from(sizes), fixed: true, sized: true, type: 'integer' };
    }
    case 'size':
      return (
        first && {
          dims: [],
          numbers: Float64Array.of(elementCount(first.dims)),
          fixed: true,
          sized: true,
          type: 'integer',
        }
      );
    case 'fill': {
      const target = listAt(0);
      return target && made(target, () => new Float64Array(elementCount(target)).fill(operator.value));
    }
    case 'range': {
      const [start, limitAt, step] = [listAt(0)?.[0], listAt(1)?.[0], listAt(2)?.[0]];
      if (start === undefined || limitAt === undefined || !step) return undefined;
      const count = Math.max(0, Math.ceil((limitAt - start) / step));
      return made([count], () => Float64Array.from({ length: count }, (_, i) => start + i * step));
    }
    case 'reduce': {
      if (!first) return undefined;
      const rank = first.dims.length;
      const given = node.inputs[1] ? listAt(1) : first.dims.map((_, axis) => axis);
      if (!given) return undefined;
      const axes = new Set(given.map((axis) => normaliseAxis(axis, rank)));
      const dims = operator.keepDims
        ? first.dims.map((dim, axis) => (axes.has(axis) ? 1 : dim))
        : first.dims.filter((_, axis) => !axes.has(axis));
      const combine = REDUCE[operator.name];
      return made(dims, () =>
        combine && axes.size === rank && first.numbers
          ? Float64Array.of(first.numbers.reduce((a, b) => combine(a, b)))
          : undefined,
      );
    }
    case 'matmul':
    case 'einsum':
    case 'pointwise': {
      const [a, b] = inputs;
      return a && b && made(productDims(node, a.dims, b.dims));
    }
    case 'opaque': {
      const shapes = operator.shapes?.(
        inputs.map((input) => input?.dims),
        listAt,
      );
      return made(shapes?.[place]);
    }
    default:
      return undefined;
  }
}

/** What a node's result holds. */
function typeOf(operator: Operator, inputs: readonly (Evaluated | undefined)[]): NumberType {
  const own = (place: number) => inputs[place]?.type ?? 'float';
  switch (operator.kind) {
    case 'cast':
      return operator.to;
    case 'where':
      return own(1);
    case 'fill':
      return Number.isInteger(operator.value) ? 'integer' : 'float';
    case 'binary':
      return TRUTHS.has(operator.name) ? 'boolean' : own(0);
    case 'unary':
      return operator.name === 'not' || operator.name === 'isnan' ? 'boolean' : own(0);
    case 'softmax':
    case 'normalise':
    case 'opaque':
      return 'float';
    default:
      return own(0);
  }
}

const TRUTHS: ReadonlySet<string> = new Set<BinaryName>([
  'equal',
  'less',
  'lessOrEqual',
  'greater',
  'greaterOrEqual',
  'and',
  'or',
  'xor',
]);

function gatheredDims(node: ViewNode, [data, indices]: readonly (Evaluated | undefined)[]) {
  if (node.operator.kind !== 'gather' || !data || !indices) return undefined;
  const axis = normaliseAxis(node.operator.axis, data.dims.length);
  if (axis === undefined) return undefined;
  return [...data.dims.slice(0, axis), ...indices.dims, ...data.dims.slice(axis + 1)];
}

/** Sizes of a product's result; `undefined` where the operands do not fit each other. */
function productDims(node: ViewNode, a: readonly number[], b: readonly number[]): number[] | undefined {
  const labels = isProduct(node.operator) ? contractionOf(node.operator, a.length, b.length) : undefined;
  if (!labels) return undefined;
  const sizes = new Map<string, number>();
  for (const [terms, dims] of [
    [labels.a, a],
    [labels.b, b],
  ] as const) {
    for (const [axis, label] of terms.entries()) {
      const dim = dims[axis] as number;
      const before = sizes.get(label) ?? 1;
      if (before !== 1 && dim !== 1 && before !== dim) return undefined;
      sizes.set(label, before === 1 ? dim : before);
    }
  }
  return labels.out.map((label) => sizes.get(label) as number);
}

/** NumPy broadcasting of sizes; `undefined` where they do not fit. */
export function broadcastDims(shapes: readonly (readonly number[])[]): number[] | undefined {
  const rank = Math.max(...shapes.map((dims) => dims.length));
  const out: number[] = [];
  for (let axis = 0; axis < rank; axis++) {
    const sizes = shapes.map((dims) => dims[axis - rank + dims.length] ?? 1);
    const size = sizes.find((dim) => dim !== 1) ?? 1;
    if (sizes.some((dim) => dim !== 1 && dim !== size)) return undefined;
    out.push(size);
  }
  return out;
}

/** For every element of `dims`, the element of a tensor of size `from` that broadcasting puts there. */
export function broadcastSource(from: readonly number[], dims: readonly number[]): Int32Array {
  const node: ViewNode = { operator: { kind: 'expand' }, inputs: ['', ''], outputs: [''], source: '' };
  const layout = layoutOf(node, 0, from, () => dims, undefined);
  if (!layout) throw new RangeError(`cannot broadcast [${from}] to [${dims}]`);
  return layout.source();
}

function elementwise(
  dims: readonly number[],
  operands: readonly Evaluated[],
  apply: (values: readonly number[]) => number,
): Float64Array | undefined {
  const numbers = operands.map((operand) => operand.numbers);
  if (numbers.some((values) => !values)) return undefined;
  const sources = operands.map((operand) => broadcastSource(operand.dims, dims));
  return Float64Array.from({ length: elementCount(dims) }, (_, i) =>
    apply(sources.map((source, at) => (numbers[at] as Float64Array)[source[i] as number] as number)),
  );
}

function concatenated(dims: readonly number[], axis: number, parts: readonly Evaluated[]): Float64Array | undefined {
  if (parts.some((part) => !part.numbers)) return undefined;
  const out = new Float64Array(elementCount(dims));
  const outer = elementCount(dims.slice(0, axis));
  let at = 0;
  for (let o = 0; o < outer; o++) {
    for (const part of parts) {
      const run = elementCount(part.dims.slice(axis));
      out.set((part.numbers as Float64Array).subarray(o * run, (o + 1) * run), at);
      at += run;
    }
  }
  return out;
}

const BINARY: Readonly<Record<BinaryName, (a: number, b: number) => number>> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  pow: (a, b) => a ** b,
  mod: (a, b) => ((a % b) + b) % b,
  min: Math.min,
  max: Math.max,
  equal: (a, b) => Number(a === b),
  less: (a, b) => Number(a < b),
  lessOrEqual: (a, b) => Number(a <= b),
  greater: (a, b) => Number(a > b),
  greaterOrEqual: (a, b) => Number(a >= b),
  and: (a, b) => Number(a !== 0 && b !== 0),
  or: (a, b) => Number(a !== 0 || b !== 0),
  xor: (a, b) => Number((a !== 0) !== (b !== 0)),
};

const UNARY: Readonly<Record<string, (x: number) => number>> = {
  abs: Math.abs,
  ceil: Math.ceil,
  exp: Math.exp,
  floor: Math.floor,
  log: Math.log,
  neg: (x) => -x,
  not: (x) => Number(x === 0),
  reciprocal: (x) => 1 / x,
  round: Math.round,
  sqrt: Math.sqrt,
};

/** Whether the numbers of a one-operand node can be computed. */
export function isComputable({ name }: { readonly name: string }): boolean {
  return Object.hasOwn(UNARY, name);
}

const CASTS = {
  float: (x: number) => x,
  integer: Math.trunc,
  boolean: (x: number) => Number(x !== 0),
};

const REDUCE: Readonly<Record<string, (a: number, b: number) => number>> = {
  sum: BINARY.add,
  prod: BINARY.mul,
  min: Math.min,
  max: Math.max,
};
