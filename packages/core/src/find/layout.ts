import type { ViewNode } from './view.js';

/** Number of elements of a tensor of these dimensions. */
export function elementCount(dims: readonly number[]): number {
  return dims.reduce((product, dim) => product * dim, 1);
}

/** Row-major strides, in elements. */
export function stridesOf(dims: readonly number[]): number[] {
  const strides = new Array<number>(dims.length);
  let stride = 1;
  for (let axis = dims.length - 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= dims[axis] as number;
  }
  return strides;
}

/** An axis counted from the front; `undefined` where there is no such axis. */
export function normaliseAxis(axis: number, rank: number): number | undefined {
  const normalised = axis < 0 ? axis + rank : axis;
  return normalised >= 0 && normalised < rank ? normalised : undefined;
}

/** Steps that only move elements; numbers of the operands beyond the first are asked of `numbers`. */
export type MovingKind =
  | 'identity'
  | 'reshape'
  | 'flatten'
  | 'transpose'
  | 'squeeze'
  | 'unsqueeze'
  | 'expand'
  | 'tile'
  | 'slice'
  | 'split'
  | 'gather';

const MOVING: ReadonlySet<string> = new Set<MovingKind>([
  'identity',
  'reshape',
  'flatten',
  'transpose',
  'squeeze',
  'unsqueeze',
  'expand',
  'tile',
  'slice',
  'split',
  'gather',
]);

/** Whether a node only moves elements of its first input. */
export function movesElements(node: ViewNode): boolean {
  return MOVING.has(node.operator.kind);
}

/**
 * Dimensions of output `outputIndex` of a moving node, and where each of its elements comes from: element `i` is element
 * `source()[i]` of the input, both row-major.
 *
 * @param numbers - the numbers of the node's operand at a place, `undefined` where absent or unknown.
 * @returns `undefined` where the operands are unknown or do not fit.
 */
export function layoutOf(
  node: ViewNode,
  outputIndex: number,
  dims: readonly number[],
  numbers: (place: number) => readonly number[] | undefined,
  indexDims: readonly number[] | undefined,
): { readonly dims: readonly number[]; readonly source: () => Int32Array } | undefined {
  const operator = node.operator;
  switch (operator.kind) {
    case 'identity':
      return inOrder(dims, dims);
    case 'reshape': {
      const target = numbers(1);
      return target && inOrder(dims, reshaped(dims, target, operator.zeroIsSize));
    }
    case 'flatten': {
      const axis = operator.axis < 0 ? operator.axis + dims.length : operator.axis;
      return inOrder(dims, [elementCount(dims.slice(0, axis)), elementCount(dims.slice(axis))]);
    }
    case 'squeeze': {
      const given = node.inputs[1] ? numbers(1) : dims.flatMap((dim, axis) => (dim === 1 ? [axis] : []));
      if (!given) return undefined;
      const axes = new Set(given.map((axis) => normaliseAxis(axis, dims.length)));
      return inOrder(
        dims,
        dims.filter((_, axis) => !axes.has(axis)),
      );
    }
    case 'unsqueeze': {
      const given = numbers(1);
      if (!given) return undefined;
      const rank = dims.length + given.length;
      const axes = new Set(given.map((axis) => normaliseAxis(axis, rank)));
      const rest = [...dims];
      return inOrder(
        dims,
        Array.from({ length: rank }, (_, axis) => (axes.has(axis) ? 1 : (rest.shift() ?? -1))),
      );
    }
    case 'transpose': {
      const permutation = operator.permutation ?? dims.map((_, axis) => dims.length - 1 - axis);
      if (permutation.length !== dims.length) return undefined;
      const strides = stridesOf(dims);
      return strided(
        permutation.map((axis) => dims[axis] as number),
        permutation.map((axis) => strides[axis] as number),
      );
    }
    case 'expand': {
      const target = numbers(1);
      if (!target) return undefined;
      const rank = Math.max(target.length, dims.length);
      const strides = stridesOf(dims);
      const out: number[] = [];
      const steps: number[] = [];
      for (let axis = 0; axis < rank; axis++) {
        const own = dims[axis - rank + dims.length] ?? 1;
        const wanted = target[axis - rank + target.length] ?? 1;
        if (wanted < 0 || (own !== 1 && wanted !== 1 && own !== wanted)) return undefined;
        out.push(own === 1 ? wanted : own);
        steps.push(own === 1 ? 0 : (strides[axis - rank + dims.length] as number));
      }
      return strided(out, steps);
    }
    case 'tile': {
      const repeats = numbers(1);
      if (repeats?.length !== dims.length) return undefined;
      const out = dims.map((dim, axis) => dim * (repeats[axis] as number));
      if (out.some((dim) => dim < 0)) return undefined;
      const strides = stridesOf(dims);
      // Every axis as two: how often, and the axis itself.
      const apart = strided(
        dims.flatMap((dim, axis) => [repeats[axis] as number, dim]),
        strides.flatMap((stride) => [0, stride]),
      );
      return { dims: out, source: apart.source };
    }
    case 'slice':
      return sliced(node, dims, numbers);
    case 'split': {
      const axis = normaliseAxis(operator.axis, dims.length);
      if (axis === undefined) return undefined;
      const parts = node.outputs.length;
      const whole = dims[axis] as number;
      const equal = Array.from({ length: parts }, (_, i) =>
        Math.max(0, Math.min(Math.ceil(whole / parts), whole - i * Math.ceil(whole / parts))),
      );
      const sizes = node.inputs[1] ? numbers(1) : equal;
      if (sizes?.length !== parts) return undefined;
      const start = sizes.slice(0, outputIndex).reduce((sum, size) => sum + size, 0);
      const size = sizes[outputIndex] as number;
      if (size < 0 || start < 0 || start + size > whole) return undefined;
      const strides = stridesOf(dims);
      return strided(dims.with(axis, size), strides, start * (strides[axis] as number));
    }
    case 'gather': {
      const axis = normaliseAxis(operator.axis, dims.length);
      const indices = numbers(1);
      if (axis === undefined || !indices || !indexDims) return undefined;
      const whole = dims[axis] as number;
      const wrapped = indices.map((index) => (index < 0 ? index + whole : index));
      if (wrapped.some((index) => index < 0 || index >= whole)) return undefined;
      const layout = pickedAxis(dims, axis, wrapped);
      return { dims: [...dims.slice(0, axis), ...indexDims, ...dims.slice(axis + 1)], source: layout.source };
    }
    default:
      return undefined;
  }
}

function inOrder(from: readonly number[], to: readonly number[] | undefined) {
  if (!to) return undefined;
  const count = elementCount(from);
  if (elementCount(to) !== count || to.some((dim) => dim < 0)) return undefined;
  return { dims: to, source: () => Int32Array.from({ length: count }, (_, i) => i) };
}

function reshaped(dims: readonly number[], target: readonly number[], zeroIsSize: boolean): number[] | undefined {
  const out = target.map((dim, axis) => (dim === 0 && !zeroIsSize ? (dims[axis] ?? -2) : dim));
  if (out.includes(-2)) return undefined;
  const open = out.indexOf(-1);
  if (open < 0) return out;
  const known = out.reduce((product, dim, axis) => (axis === open ? product : product * dim), 1);
  const rest = elementCount(dims) / known;
  if (!Number.isInteger(rest)) return undefined;
  out[open] = rest;
  return out;
}

/** A layout that moves so many elements of its input for each step along an axis; 0 repeats them. */
export function strided(dims: readonly number[], steps: readonly number[], start = 0) {
  return {
    dims,
    source: () => {
      const source = new Int32Array(elementCount(dims));
      const index = new Array<number>(dims.length).fill(0);
      let at = start;
      for (let i = 0; i < source.length; i++) {
        source[i] = at;
        for (let axis = dims.length - 1; axis >= 0; axis--) {
          at += steps[axis] as number;
          const next = (index[axis] as number) + 1;
          if (next < (dims[axis] as number)) {
            index[axis] = next;
            break;
          }
          at -= next * (steps[axis] as number);
          index[axis] = 0;
        }
      }
      return source;
    },
  };
}

/** The numbers at these places. `Float64Array.from` with a function is several times slower. */
export function numbersAt(numbers: Float64Array, places: Int32Array): Float64Array {
  const out = new Float64Array(places.length);
  for (let i = 0; i < places.length; i++) out[i] = numbers[places[i] as number] as number;
  return out;
}

function pickedAxis(dims: readonly number[], axis: number, pick: readonly number[]) {
  const out = dims.map((dim, a) => (a === axis ? pick.length : dim));
  return {
    dims: out,
    source: () => {
      const inner = elementCount(dims.slice(axis + 1));
      const outer = elementCount(dims.slice(0, axis));
      const whole = dims[axis] as number;
      const source = new Int32Array(outer * pick.length * inner);
      let at = 0;
      for (let o = 0; o < outer; o++) {
        for (const index of pick) {
          const base = (o * whole + index) * inner;
          for (let i = 0; i < inner; i++) source[at++] = base + i;
        }
      }
      return source;
    },
  };
}

function sliced(node: ViewNode, dims: readonly number[], numbers: (place: number) => readonly number[] | undefined) {
  const starts = numbers(1);
  const ends = numbers(2);
  const axes = node.inputs[3] ? numbers(3) : starts?.map((_, i) => i);
  const steps = node.inputs[4] ? numbers(4) : starts?.map(() => 1);
  if (!starts || !ends || !axes || !steps) return undefined;
  const strides = stridesOf(dims);
  const out = [...dims];
  const moves = [...strides];
  let first = 0;
  for (const [i, given] of axes.entries()) {
    const axis = normaliseAxis(given, dims.length);
    const step = steps[i] as number;
    if (axis === undefined || step === 0) return undefined;
    const dim = dims[axis] as number;
    const clamp = (at: number, low: number, high: number) => Math.min(Math.max(at < 0 ? at + dim : at, low), high);
    const start = step > 0 ? clamp(starts[i] as number, 0, dim) : clamp(starts[i] as number, 0, dim - 1);
    const end = step > 0 ? clamp(ends[i] as number, 0, dim) : clamp(ends[i] as number, -1, dim - 1);
    out[axis] = Math.max(0, Math.ceil((end - start) / step));
    moves[axis] = step * (strides[axis] as number);
    first += start * (strides[axis] as number);
  }
  return strided(out, moves, first);
}
