import { broadcastDims, broadcastSource } from './evaluate.js';
import type { Inquiry } from './inquiry.js';
import { elementCount, movesElements, numbersAt } from './layout.js';
import { Refusal } from './refusal.js';
import type { ViewNode } from './view.js';

/** Steps that are followed back from the end of a rotation, and values looked at as its start. */
const DEEPEST = 16;

/** For every element of a value, an element of the value that is rotated, times something that does not come from it. */
interface Terms {
  /** Element of the value that is rotated; -1: this element has no such term. */
  readonly element: Int32Array;
  readonly coefficient: Float64Array;
  /** What it is multiplied by, as a place in the list of factors, and which element of that; -1: nothing. */
  readonly factor: Int32Array;
  readonly factorAt: Int32Array;
}

/** A rotation has two terms an element. */
type Sum = readonly Terms[];

/**
 * A rotation of features by position (rotary embedding): element `i` of the result is
 * `x[own[i]] * cos[cosAt[i]] + sign[i] * x[partner[i]] * sin[sinAt[i]]`, or `x[own[i]]` where `partner[i]` is -1.
 */
export interface Rotation {
  /** The value that is rotated. */
  readonly entry: string;
  readonly dims: readonly number[];
  readonly cos: string;
  readonly sin: string;
  readonly own: Int32Array;
  readonly partner: Int32Array;
  readonly sign: Int32Array;
  readonly cosAt: Int32Array;
  readonly sinAt: Int32Array;
  /** The nodes between, in no order. */
  readonly nodes: readonly ViewNode[];
}

/**
 * Reads what ends in a value as a rotation by position, in whatever operations it is written: the elements of the result
 * are computed as sums of terms of one value before it.
 *
 * @returns the readings, the nearest value first; none where it is no rotation.
 * @throws Refusal where a size could not be told.
 */
export function* rotationsAt(inquiry: Inquiry, id: string): Generator<Rotation> {
  let unsized: Refusal | undefined;
  let isFound = false;
  for (const entry of entriesOf(inquiry, id)) {
    const reading: Reading = { inquiry, entry, nodes: new Set(), factors: [], known: new Map() };
    let rotation: ReturnType<typeof asRotation>;
    try {
      const sum = sumOf(reading, id, 0);
      rotation = sum && asRotation(sum, reading.factors);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      if (error.cause === 'size') unsized ??= error;
    }
    if (!rotation) continue;
    isFound = true;
    yield { ...rotation, entry, dims: inquiry.dims(id), nodes: [...reading.nodes] };
  }
  if (!isFound && unsized) throw unsized;
}

/** One try to read a rotation. */
interface Reading {
  readonly inquiry: Inquiry;
  readonly entry: string;
  readonly nodes: Set<ViewNode>;
  /** Values that something is multiplied by. */
  readonly factors: string[];
  readonly known: Map<string, Sum | undefined>;
}

/** Values that are reached from a value on more than one way, the nearest first. */
function entriesOf(inquiry: Inquiry, id: string): string[] {
  const ways = new Map<string, number>();
  let layer = [id];
  for (let depth = 0; depth < DEEPEST && layer.length > 0 && ways.size < 512; depth++) {
    const next: string[] = [];
    for (const at of layer) {
      const node = inquiry.producer(at);
      if (!node || inquiry.isFixed(at)) continue;
      for (const input of operands(node)) {
        if (inquiry.isFixed(input)) continue;
        const count = ways.get(input) ?? 0;
        ways.set(input, count + 1);
        if (count === 0) next.push(input);
      }
    }
    layer = next;
  }
  return [...ways].flatMap(([value, count]) => (count > 1 ? [value] : []));
}

/** The operands of a step that a rotation may consist of. */
function operands(node: ViewNode): readonly string[] {
  const { operator } = node;
  if (movesElements(node)) return node.inputs.slice(0, 1);
  switch (operator.kind) {
    case 'concat':
      return node.inputs;
    case 'cast':
      return operator.to === 'float' ? node.inputs : [];
    case 'unary':
      return operator.name === 'neg' ? node.inputs : [];
    case 'binary':
      return operator.name === 'add' || operator.name === 'sub' || operator.name === 'mul' ? node.inputs : [];
    default:
      return [];
  }
}

/** Every element of a value as terms of another; `undefined` where it does not come from it in a way that is followed. */
function sumOf(reading: Reading, id: string, depth: number): Sum | undefined {
  const { inquiry, entry, nodes, known } = reading;
  if (id === entry) return [elements(elementCount(inquiry.dims(id)))];
  if (known.has(id)) return known.get(id);
  const node = inquiry.producer(id);
  if (!node || depth > DEEPEST || inquiry.isFixed(id)) return undefined;
  const result = stepSum(reading, id, node, (input) => sumOf(reading, input, depth + 1));
  if (result && result.length <= 2) nodes.add(node);
  known.set(id, result && result.length <= 2 ? result : undefined);
  return known.get(id);
}

function elements(count: number): Terms {
  return {
    element: Int32Array.from({ length: count }, (_, i) => i),
    coefficient: new Float64Array(count).fill(1),
    factor: new Int32Array(count).fill(-1),
    factorAt: new Int32Array(count).fill(-1),
  };
}

function stepSum(
  reading: Reading,
  id: string,
  node: ViewNode,
  before: (input: string) => Sum | undefined,
): Sum | undefined {
  const { inquiry, factors } = reading;
  const [a = '', b = ''] = node.inputs;
  const { operator } = node;
  if (movesElements(node)) {
    const sum = before(a);
    return sum && moved(sum, inquiry.layout(node, id).source());
  }
  switch (operator.kind) {
    case 'cast':
      return operator.to === 'float' ? before(a) : undefined;
    case 'unary':
      return operator.name === 'neg' ? scaled(before(a), -1) : undefined;
    case 'concat': {
      const parts = node.inputs.map(before);
      const shapes = node.inputs.map((input) => inquiry.dims(input));
      const axis = operator.axis < 0 ? operator.axis + inquiry.dims(id).length : operator.axis;
      return parts.some((part) => !part) ? undefined : joined(parts as Sum[], shapes, axis);
    }
    case 'binary': {
      if (operator.name !== 'add' && operator.name !== 'sub' && operator.name !== 'mul') return undefined;
      const dims = inquiry.dims(id);
      const [one, two] = [before(a), before(b)];
      const fits = node.inputs.every((input) => broadcastDims([inquiry.dims(input), dims])?.join() === dims.join());
      if (!fits) throw new Refusal(`the operands of ${node.source} do not fit each other`, [node.source], 'size');
      const spread = (sum: Sum | undefined, input: string) => moved(sum, broadcastSource(inquiry.dims(input), dims));
      if (operator.name !== 'mul') {
        const right = scaled(spread(two, b), operator.name === 'sub' ? -1 : 1);
        return one && right ? [...(spread(one, a) as Sum), ...right] : undefined;
      }
      if (!one === !two) return undefined;
      const [sum, side] = one ? [spread(one, a), b] : [spread(two, b), a];
      const known = inquiry.coefficients(side);
      if (known?.numbers.length === 1) return scaled(sum, known.numbers[0] as number);
      if (sum?.some(({ factor }) => factor.some((place) => place >= 0))) return undefined;
      const place = factors.includes(side) ? factors.indexOf(side) : factors.push(side) - 1;
      const at = broadcastSource(inquiry.dims(side), dims);
      return sum?.map((terms) => ({
        ...terms,
        factor: terms.element.map((element) => (element < 0 ? -1 : place)),
        factorAt: at,
      }));
    }
    default:
      return undefined;
  }
}

function moved(sum: Sum | undefined, source: Int32Array): Sum | undefined {
  return sum?.map(({ element, coefficient, factor, factorAt }) => ({
    element: source.map((at) => element[at] as number),
    coefficient: numbersAt(coefficient, source),
    factor: source.map((at) => factor[at] as number),
    factorAt: source.map((at) => factorAt[at] as number),
  }));
}

function scaled(sum: Sum | undefined, by: number): Sum | undefined {
  return sum?.map((terms) => ({ ...terms, coefficient: terms.coefficient.map((x) => x * by) }));
}

function joined(parts: readonly Sum[], shapes: readonly (readonly number[])[], axis: number): Sum {
  const runs = shapes.map((dims) => elementCount(dims.slice(axis)));
  const outer = elementCount((shapes[0] as readonly number[]).slice(0, axis));
  const total = outer * runs.reduce((sum, run) => sum + run, 0);
  const count = Math.max(...parts.map((part) => part.length));
  return Array.from({ length: count }, (_, term) => {
    const made: Terms = {
      element: new Int32Array(total).fill(-1),
      coefficient: new Float64Array(total),
      factor: new Int32Array(total).fill(-1),
      factorAt: new Int32Array(total).fill(-1),
    };
    let at = 0;
    for (let o = 0; o < outer; o++) {
      for (const [p, part] of parts.entries()) {
        const run = runs[p] as number;
        const terms = part[term];
        if (terms) {
          for (const key of ['element', 'coefficient', 'factor', 'factorAt'] as const) {
            made[key].set(terms[key].subarray(o * run, (o + 1) * run), at);
          }
        }
        at += run;
      }
    }
    return made;
  });
}

/** Two terms an element, of which one has the same factor with a plus everywhere: its cosine. */
function asRotation(sum: Sum, factors: readonly string[]) {
  const [first, second] = sum;
  if (!first || !second) return undefined;
  const turned = second.element.findIndex((element) => element >= 0);
  if (turned < 0) return undefined;
  const [one, two] = [first.factor[turned] as number, second.factor[turned] as number];
  if (one < 0 || two < 0 || one === two) return undefined;
  for (const [cos, sin] of [
    [one, two],
    [two, one],
  ] as const) {
    const rotation = withFactors(first, second, cos, sin);
    if (rotation) return { ...rotation, cos: factors[cos] as string, sin: factors[sin] as string };
  }
  return undefined;
}

function withFactors(first: Terms, second: Terms, cos: number, sin: number) {
  const count = first.element.length;
  const make = () => new Int32Array(count);
  const [own, partner, sign, cosAt, sinAt] = [make(), make(), make(), make(), make()];
  for (let i = 0; i < count; i++) {
    const isStill = (second.element[i] as number) < 0;
    if (isStill) {
      if (first.factor[i] !== -1 || first.coefficient[i] !== 1) return undefined;
      own[i] = first.element[i] as number;
      partner[i] = -1;
      cosAt[i] = -1;
      sinAt[i] = -1;
      continue;
    }
    const [straight, crossed] = first.factor[i] === cos ? [first, second] : [second, first];
    if (straight.factor[i] !== cos || crossed.factor[i] !== sin || straight.coefficient[i] !== 1) return undefined;
    if (Math.abs(crossed.coefficient[i] as number) !== 1 || crossed.element[i] === straight.element[i])
      return undefined;
    own[i] = straight.element[i] as number;
    partner[i] = crossed.element[i] as number;
    sign[i] = crossed.coefficient[i] as number;
    cosAt[i] = straight.factorAt[i] as number;
    sinAt[i] = crossed.factorAt[i] as number;
  }
  return new Set(own).size === count ? { own, partner, sign, cosAt, sinAt } : undefined;
}
