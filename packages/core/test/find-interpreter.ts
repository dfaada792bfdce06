// Runs a view by the definition of every operator, element by element: what the finder's reading is compared with.
import type { GraphView, Operator, ViewNode } from '@mhe/core';

/** A tensor with what its numbers are. */
export interface Value {
  readonly dims: readonly number[];
  readonly data: ArrayLike<number>;
  readonly type: 'float' | 'integer' | 'boolean';
}

type Index = readonly number[];

const LARGEST = 1e6;

const count = (dims: readonly number[]) => dims.reduce((product, dim) => product * dim, 1);

/** All indices of a shape, row by row. */
function* indices(dims: readonly number[]): Generator<number[]> {
  for (let i = 0; i < count(dims); i++) {
    let rest = i;
    const index = new Array<number>(dims.length);
    for (let axis = dims.length - 1; axis >= 0; axis--) {
      index[axis] = rest % (dims[axis] as number);
      rest = Math.floor(rest / (dims[axis] as number));
    }
    yield index;
  }
}

function at(value: Value, index: Index): number {
  const place = value.dims.reduce((sum, dim, axis) => sum * dim + (index[axis] as number), 0);
  return value.data[place] as number;
}

/** As `at`, for an index into a shape that the value broadcasts to. */
function spread(value: Value, index: Index): number {
  const own = value.dims.map((dim, axis) =>
    dim === 1 ? 0 : (index[axis - value.dims.length + index.length] as number),
  );
  return at(value, own);
}

function made(dims: readonly number[], type: Value['type'], of: (index: number[]) => number): Value {
  if (!(count(dims) <= LARGEST)) throw new RangeError(`[${dims}] is too large for a test`);
  return { dims, type, data: Float64Array.from(indices(dims), of) };
}

function broadcast(...values: readonly Value[]): number[] {
  const rank = Math.max(...values.map(({ dims }) => dims.length));
  return Array.from({ length: rank }, (_, axis) =>
    values.reduce((size, { dims }) => {
      const own = dims[axis - rank + dims.length] ?? 1;
      if (own !== 1 && size !== 1 && own !== size) throw new RangeError(`[${dims}] does not broadcast`);
      return size === 1 ? own : size;
    }, 1),
  );
}

const axisOf = (axis: number, rank: number) => (axis < 0 ? axis + rank : axis);

/** An einsum by its definition: every label runs over its size, an axis of size 1 stays at 0. */
export function einsum(
  a: Value,
  b: Value,
  labels: { readonly a: readonly string[]; readonly b: readonly string[]; readonly out: readonly string[] },
): Value {
  const sizes = new Map<string, number>();
  for (const [value, own] of [[a, labels.a] as const, [b, labels.b] as const]) {
    own.forEach((label, axis) => {
      const size = sizes.get(label) ?? 1;
      sizes.set(label, size === 1 ? (value.dims[axis] as number) : size);
    });
  }
  const summed = [...sizes.keys()].filter((label) => !labels.out.includes(label));
  const size = (label: string) => sizes.get(label) as number;
  return made(labels.out.map(size), a.type, (index) => {
    let sum = 0;
    for (const inner of indices(summed.map(size))) {
      const place = new Map([
        ...labels.out.map((l, i) => [l, index[i]] as const),
        ...summed.map((l, i) => [l, inner[i]] as const),
      ]);
      const read = (value: Value, own: readonly string[]) =>
        at(
          value,
          own.map((label, axis) => (value.dims[axis] === 1 ? 0 : (place.get(label) as number))),
        );
      sum += read(a, labels.a) * read(b, labels.b);
    }
    return sum;
  });
}

function matmul(a: Value, b: Value, transposeA: boolean, transposeB: boolean): Value {
  const swapped = (value: Value) => {
    const order = value.dims.map((_, axis) => axis);
    order.push(...order.splice(-2).reverse());
    return transposed(value, order);
  };
  const left = transposeA ? swapped(a) : a;
  const right = transposeB ? swapped(b) : b;
  const matrixA: Value = left.dims.length === 1 ? { ...left, dims: [1, ...left.dims] } : left;
  const matrixB: Value = right.dims.length === 1 ? { ...right, dims: [...right.dims, 1] } : right;
  const lead = broadcast(
    { ...matrixA, dims: matrixA.dims.slice(0, -2) },
    { ...matrixB, dims: matrixB.dims.slice(0, -2) },
  );
  const [rows, inner, cols] = [
    matrixA.dims.at(-2) as number,
    matrixA.dims.at(-1) as number,
    matrixB.dims.at(-1) as number,
  ];
  const part = (value: Value, leading: Index, row: number, col: number) => {
    const own = value.dims
      .slice(0, -2)
      .map((dim, axis) => (dim === 1 ? 0 : (leading[axis - value.dims.length + 2 + leading.length] as number)));
    return at(value, [...own, row, col]);
  };
  const out = made([...lead, rows, cols], a.type, (index) => {
    const [row, col] = index.slice(-2) as [number, number];
    let sum = 0;
    for (let k = 0; k < inner; k++)
      sum += part(matrixA, index.slice(0, -2), row, k) * part(matrixB, index.slice(0, -2), k, col);
    return sum;
  });
  const dims = [...lead, ...(left.dims.length === 1 ? [] : [rows]), ...(right.dims.length === 1 ? [] : [cols])];
  return { ...out, dims };
}

function transposed(value: Value, permutation: readonly number[]): Value {
  return made(
    permutation.map((axis) => value.dims[axis] as number),
    value.type,
    (index) => {
      const from = new Array<number>(index.length);
      permutation.forEach((axis, i) => {
        from[axis] = index[i] as number;
      });
      return at(value, from);
    },
  );
}

/** Positions that ONNX's slice picks of a list this long. Its negative steps start at 0 at the earliest. */
function slicePositions(length: number, start: number, end: number, step: number): number[] {
  const from = Math.max(start < 0 ? start + length : start, 0);
  const to = end < 0 ? end + length : end;
  const all = Array.from({ length }, (_, i) => i);
  if (step > 0) return all.filter((i) => i >= from && i < to && (i - from) % step === 0);
  const last = Math.min(from, length - 1);
  return all.reverse().filter((i) => i <= last && i > to && (last - i) % -step === 0);
}

const binaries: Record<string, (a: number, b: number, whole: boolean) => number> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  // C++ division of integers drops the rest.
  div: (a, b, whole) => (whole ? (a - (a % b)) / b : a / b),
  pow: (a, b) => a ** b,
  mod: (a, b) => a - Math.floor(a / b) * b,
  min: (a, b) => Math.min(a, b),
  max: (a, b) => Math.max(a, b),
  equal: (a, b) => (a === b ? 1 : 0),
  less: (a, b) => (a < b ? 1 : 0),
  lessOrEqual: (a, b) => (a <= b ? 1 : 0),
  greater: (a, b) => (a > b ? 1 : 0),
  greaterOrEqual: (a, b) => (a >= b ? 1 : 0),
  and: (a, b) => (a && b ? 1 : 0),
  or: (a, b) => (a || b ? 1 : 0),
  xor: (a, b) => (!a !== !b ? 1 : 0),
};

const comparisons = new Set(['equal', 'less', 'lessOrEqual', 'greater', 'greaterOrEqual', 'and', 'or', 'xor']);

const unaries: Record<string, (x: number) => number> = {
  neg: (x) => -x,
  sqrt: Math.sqrt,
  exp: Math.exp,
  not: (x) => (x ? 0 : 1),
  isnan: (x) => (Number.isNaN(x) ? 1 : 0),
  reciprocal: (x) => 1 / x,
  Tanh: Math.tanh,
  Sin: Math.sin,
};

function apply(operator: Operator, inputs: readonly (Value | undefined)[], outputs: number): Value[] {
  const x = inputs[0] as Value;
  const numbers = (place: number) => Array.from((inputs[place] as Value).data);
  switch (operator.kind) {
    case 'constant':
      return [{ dims: operator.dims, data: operator.read(), type: operator.type }];
    case 'matmul':
      return [matmul(x, inputs[1] as Value, operator.transposeA, operator.transposeB)];
    case 'einsum': {
      const [a, b, out] = operator.equation.split(/,|->/).map((term) => [...term]) as [string[], string[], string[]];
      return [einsum(x, inputs[1] as Value, { a, b, out })];
    }
    case 'pointwise': {
      const weight = inputs[1] as Value;
      return [
        made([x.dims[0] as number, weight.dims[0] as number, ...x.dims.slice(2)], x.type, ([n, o, ...space]) => {
          let sum = 0;
          for (let c = 0; c < (x.dims[1] as number); c++) {
            sum += at(x, [n as number, c, ...space]) * at(weight, [o as number, c, ...space.map(() => 0)]);
          }
          return sum;
        }),
      ];
    }
    case 'binary': {
      const b = inputs[1] as Value;
      const whole = x.type === 'integer';
      const type = comparisons.has(operator.name) ? 'boolean' : x.type;
      return [
        made(broadcast(x, b), type, (i) =>
          (binaries[operator.name] as (typeof binaries)[string])(spread(x, i), spread(b, i), whole),
        ),
      ];
    }
    case 'unary': {
      const type = operator.name === 'isnan' || operator.name === 'not' ? 'boolean' : x.type;
      return [made(x.dims, type, (i) => (unaries[operator.name] as (typeof unaries)[string])(at(x, i)))];
    }
    case 'cast': {
      const to = operator.to;
      return [
        made(x.dims, to, (i) =>
          to === 'integer' ? Math.trunc(at(x, i)) : to === 'boolean' ? (at(x, i) === 0 ? 0 : 1) : at(x, i),
        ),
      ];
    }
    case 'identity':
      return [x];
    case 'softmax': {
      const axis = axisOf(operator.axis, x.dims.length);
      return [
        made(x.dims, x.type, (index) => {
          const row = Array.from({ length: x.dims[axis] as number }, (_, i) => at(x, index.with(axis, i)));
          const largest = Math.max(...row);
          return Math.exp(at(x, index) - largest) / row.reduce((sum, score) => sum + Math.exp(score - largest), 0);
        }),
      ];
    }
    case 'where': {
      const [condition, yes, no] = inputs as [Value, Value, Value];
      return [
        made(broadcast(condition, yes, no), yes.type, (i) => (spread(condition, i) ? spread(yes, i) : spread(no, i))),
      ];
    }
    case 'reshape': {
      const target = numbers(1).map((dim, axis) =>
        dim === 0 && !operator.zeroIsSize ? (x.dims[axis] as number) : dim,
      );
      const known = target.filter((dim) => dim !== -1).reduce((product, dim) => product * dim, 1);
      return [{ ...x, dims: target.map((dim) => (dim === -1 ? count(x.dims) / known : dim)) }];
    }
    case 'flatten': {
      const axis = axisOf(operator.axis, x.dims.length);
      return [{ ...x, dims: [count(x.dims.slice(0, axis)), count(x.dims.slice(axis))] }];
    }
    case 'transpose':
      return [transposed(x, operator.permutation ?? x.dims.map((_, axis) => x.dims.length - 1 - axis))];
    case 'squeeze': {
      const axes = inputs[1] ? numbers(1).map((axis) => axisOf(axis, x.dims.length)) : undefined;
      return [{ ...x, dims: x.dims.filter((dim, axis) => (axes ? !axes.includes(axis) : dim !== 1)) }];
    }
    case 'unsqueeze': {
      const rank = x.dims.length + numbers(1).length;
      const dims = [...x.dims];
      for (const axis of numbers(1)
        .map((axis) => axisOf(axis, rank))
        .sort((a, b) => a - b))
        dims.splice(axis, 0, 1);
      return [{ ...x, dims }];
    }
    case 'expand': {
      const target: Value = { dims: numbers(1), data: [], type: 'float' };
      return [made(broadcast(x, target), x.type, (i) => spread(x, i))];
    }
    case 'tile': {
      const repeats = numbers(1);
      return [
        made(
          x.dims.map((dim, axis) => dim * (repeats[axis] as number)),
          x.type,
          (index) =>
            at(
              x,
              index.map((i, axis) => i % (x.dims[axis] as number)),
            ),
        ),
      ];
    }
    case 'slice': {
      const starts = numbers(1);
      const axes = inputs[3] ? numbers(3) : starts.map((_, i) => i);
      const steps = inputs[4] ? numbers(4) : starts.map(() => 1);
      if ([numbers(2), axes, steps].some(({ length }) => length !== starts.length)) throw new RangeError('not as many');
      const picks = x.dims.map((dim) => Array.from({ length: dim }, (_, i) => i));
      axes.forEach((given, i) => {
        const axis = axisOf(given, x.dims.length);
        picks[axis] = slicePositions(
          x.dims[axis] as number,
          starts[i] as number,
          numbers(2)[i] as number,
          steps[i] as number,
        );
      });
      return [
        made(
          picks.map((pick) => pick.length),
          x.type,
          (index) =>
            at(
              x,
              index.map((i, axis) => (picks[axis] as number[])[i] as number),
            ),
        ),
      ];
    }
    case 'split': {
      const axis = axisOf(operator.axis, x.dims.length);
      const whole = x.dims[axis] as number;
      const part = Math.ceil(whole / outputs);
      const sizes = inputs[1]
        ? numbers(1)
        : Array.from({ length: outputs }, (_, i) => Math.min(part, whole - i * part));
      return sizes.map((size, which) => {
        const start = sizes.slice(0, which).reduce((sum, other) => sum + other, 0);
        return made(x.dims.with(axis, size), x.type, (index) =>
          at(x, index.with(axis, start + (index[axis] as number))),
        );
      });
    }
    case 'gather': {
      const axis = axisOf(operator.axis, x.dims.length);
      const chosen = inputs[1] as Value;
      return [
        made([...x.dims.slice(0, axis), ...chosen.dims, ...x.dims.slice(axis + 1)], x.type, (index) => {
          const inner = index.slice(axis, axis + chosen.dims.length);
          const from = axisOf(at(chosen, inner), x.dims[axis] as number);
          return at(x, [...index.slice(0, axis), from, ...index.slice(axis + chosen.dims.length)]);
        }),
      ];
    }
    case 'concat': {
      const parts = inputs as readonly Value[];
      const axis = axisOf(operator.axis, x.dims.length);
      return [
        made(
          x.dims.with(
            axis,
            parts.reduce((sum, { dims }) => sum + (dims[axis] as number), 0),
          ),
          x.type,
          (index) => {
            let place = index[axis] as number;
            for (const part of parts) {
              if (place < (part.dims[axis] as number)) return at(part, index.with(axis, place));
              place -= part.dims[axis] as number;
            }
            throw new RangeError('outside the parts');
          },
        ),
      ];
    }
    case 'shape': {
      const sizes = x.dims.slice(operator.start, operator.end ?? undefined);
      return [{ dims: [sizes.length], data: sizes, type: 'integer' }];
    }
    case 'size':
      return [{ dims: [], data: [count(x.dims)], type: 'integer' }];
    case 'fill':
      return [made(numbers(0), Number.isInteger(operator.value) ? 'integer' : 'float', () => operator.value)];
    case 'range': {
      const [start, limit, step] = [0, 1, 2].map((place) => numbers(place)[0]) as [number, number, number];
      const data: number[] = [];
      if (!(Math.abs((limit - start) / step) <= LARGEST)) throw new RangeError('too long for a test');
      for (let value = start; step > 0 ? value < limit : value > limit; value += step) data.push(value);
      return [{ dims: [data.length], data, type: x.type }];
    }
    case 'reduce': {
      const axes = numbers(1).map((axis) => axisOf(axis, x.dims.length));
      if (!operator.keepDims) throw new TypeError('the interpreter keeps the axes it reduces');
      const kept = x.dims.map((dim, axis) => (axes.includes(axis) ? 1 : dim));
      const inner = [...indices(axes.map((axis) => x.dims[axis] as number))];
      return [
        made(kept, x.type, (index) => {
          const all = inner.map((places) =>
            at(
              x,
              places.reduce((own, place, i) => own.with(axes[i] as number, place), index),
            ),
          );
          const sum = all.reduce((total, y) => total + y, 0);
          if (operator.name === 'max') return Math.max(...all);
          return operator.name === 'mean' ? sum / all.length : sum;
        }),
      ];
    }
    case 'normalise': {
      const first = axisOf(operator.axis, x.dims.length);
      const inner = [...indices(x.dims.slice(first))];
      return [
        made(x.dims, x.type, (index) => {
          const row = inner.map((places) => at(x, [...index.slice(0, first), ...places]));
          const mean = operator.centred ? row.reduce((sum, y) => sum + y, 0) / row.length : 0;
          const squares = row.reduce((sum, y) => sum + (y - mean) ** 2, 0) / row.length;
          return (at(x, index) - mean) / Math.sqrt(squares + operator.epsilon);
        }),
      ];
    }
    default:
      throw new TypeError(`the interpreter has no ${operator.kind}`);
  }
}

/** Every value of a graph, by name. */
export function interpret(view: GraphView, feeds: Readonly<Record<string, Value>>): ReadonlyMap<string, Value> {
  const values = new Map(Object.entries(feeds));
  for (const node of view.nodes) for (const [output, value] of results(node, values)) values.set(output, value);
  return values;
}

/** The outputs of one node. */
export function results(node: ViewNode, values: ReadonlyMap<string, Value>): [string, Value][] {
  const made = apply(
    node.operator,
    node.inputs.map((id) => values.get(id)),
    node.outputs.length,
  );
  return node.outputs.map((output, i) => [output, made[i] as Value]);
}
