import type { TensorPort } from '@mhe/core';
import type { GraphValue, Size } from './graph-value.js';
import { apart, axisSize, sameAxes, sameDims } from './graph-value.js';
import type { NodeBuilder } from './node-builder.js';
import { multiply } from './product.js';
import type { Shaper } from './shaper.js';

/**
 * The tensor port whose operations are TensorFlow nodes, of operators that every backend of TensorFlow.js runs. Sizes
 * are followed by name, so that reshapes join, and products are put in the form that backends compute right and fast.
 */
export function graphPort(builder: NodeBuilder, shaper: Shaper): TensorPort<GraphValue> {
  const value = (name: string, dims: readonly Size[], axes = apart(dims) as GraphValue['axes']): GraphValue => ({
    name,
    dims,
    axes,
  });
  const elementwise = (op: string, operands: readonly GraphValue[], type?: 'DT_BOOL'): GraphValue => {
    const dims = broadcast(operands.map((operand) => operand.dims));
    const [first] = operands as [GraphValue];
    if (operands.every(({ axes }) => axes !== null && first.axes !== null && sameAxes(axes, first.axes))) {
      const isSame = operands.every((operand) => sameDims(operand.dims, dims));
      if (isSame) return value(builder.node(op, names(operands), {}, type), dims, first.axes);
    }
    const last = dims.at(-1) as Size;
    const isRow = ({ dims: own }: GraphValue) => own.length > 0 && own.slice(0, -1).every((size) => size === 1);
    const rest = operands.slice(1);
    const ends = first.axes?.at(-1);
    if (first.axes && ends && sameAxes([ends], [[last]]) && sameDims(first.dims, dims) && rest.every(isRow)) {
      const rows = rest.map((row) => shaper.shaped(row, [[row.dims.at(-1) as Size]]));
      return value(builder.node(op, [first.name, ...rows], {}, type), dims, first.axes);
    }
    return value(
      builder.node(
        op,
        operands.map((operand) => shaper.spread(operand)),
        {},
        type,
      ),
      dims,
    );
  };
  const binary = (op: string) => (a: GraphValue, b: GraphValue) => elementwise(op, [a, b]);
  const reduced = (op: string) => (a: GraphValue, axes: readonly number[]) => {
    const places = axes.map((axis) => (axis < 0 ? axis + a.dims.length : axis));
    const dims = a.dims.map((size, axis) => (places.includes(axis) ? 1 : size));
    return value(builder.node(op, [shaper.spread(a), builder.integers(places)], { keep_dims: true }), dims);
  };
  const port: TensorPort<GraphValue> = {
    constant: (values, dims) => value(builder.floats(values, dims), dims),
    add: (a, b) => withBias(builder, a, b) ?? elementwise('AddV2', [a, b]),
    sub: binary('Sub'),
    mul: binary('Mul'),
    div: binary('RealDiv'),
    exp: (a) => elementwise('Exp', [a]),
    sqrt: (a) => elementwise('Sqrt', [a]),
    where: (condition, a, b) => elementwise('SelectV2', [condition, a, b]),
    isNaN: (a) => elementwise('IsNan', [a]),
    matMul: (a, b) => multiply(builder, shaper, port, a, b),
    softmax: (a) => {
      const ends = a.axes?.at(-1);
      const isLast = ends !== undefined && sameAxes([ends], [[a.dims.at(-1) as Size]]);
      return isLast
        ? { ...a, name: builder.node('Softmax', [a.name]) }
        : value(builder.node('Softmax', [shaper.spread(a)]), a.dims);
    },
    max: reduced('Max'),
    mean: reduced('Mean'),
    reshape: (a, dims) => ({ ...a, dims: reshaped(a.dims, dims) }),
    unsqueeze: (a, axes) => {
      const rest = [...a.dims];
      const rank = a.dims.length + axes.length;
      const places = axes.map((axis) => (axis < 0 ? axis + rank : axis));
      const dims = Array.from({ length: rank }, (_, axis) => (places.includes(axis) ? 1 : (rest.shift() as Size)));
      return { ...a, dims };
    },
    transpose: (a, permutation) => {
      const dims = permutation.map((axis) => a.dims[axis] as Size);
      // Axes of size 1 take no moving.
      const long = a.dims.flatMap((size, axis) => (size === 1 ? [] : [axis]));
      const order = permutation.filter((axis) => long.includes(axis)).map((axis) => long.indexOf(axis));
      if (order.every((axis, i) => axis === i)) return { ...a, dims };
      const input = shaper.shaped(
        a,
        long.map((axis) => [a.dims[axis] as Size]),
      );
      const moved = builder.node('Transpose', [input, builder.integers(order)]);
      return value(moved, dims, apart(dims.filter((size) => size !== 1)));
    },
    concat: (parts, axis) => {
      const [first] = parts as readonly [GraphValue];
      const dims = first.dims.map((size, at) =>
        at === axis ? parts.reduce((sum, part) => sum + numeric(part.dims[axis] as Size), 0) : size,
      );
      const inputs = parts.map((part) => shaper.spread(part));
      return value(builder.node('ConcatV2', [...inputs, builder.integers(axis)], { N: parts.length }), dims);
    },
    split: (a, sizes, axis) => {
      const ends = a.axes?.at(-1);
      const isLast = axis === a.dims.length - 1 && ends !== undefined && sameAxes([ends], [[a.dims[axis] as Size]]);
      const axes = isLast ? (a.axes as NonNullable<GraphValue['axes']>) : apart(a.dims);
      const at = isLast ? axes.length - 1 : axis;
      const input = shaper.shaped(a, axes);
      const node = builder.node('SplitV', [input, builder.integers(sizes), builder.integers(at)], {
        num_split: sizes.length,
      });
      return sizes.map((size, place) => ({
        name: place === 0 ? node : `${node}:${place}`,
        dims: a.dims.map((whole, i) => (i === axis ? size : whole)),
        axes: axes.map((whole, i) => (i === at ? [size] : whole)),
      }));
    },
    gather: (a, indices, axis) => {
      const dims = a.dims.map((size, at) => (at === axis ? indices.length : size));
      const inputs = [shaper.spread(a), builder.integers(indices), builder.integers(axis)];
      return value(builder.node('GatherV2', inputs), dims);
    },
  };
  return port;
}

function names(values: readonly GraphValue[]): string[] {
  return values.map(({ name }) => name);
}

/** A bias right after the product it belongs to becomes part of it. */
function withBias(builder: NodeBuilder, product: GraphValue, bias: GraphValue): GraphValue | undefined {
  const made = builder.nodes.find(({ name }) => name === product.name);
  const isRead = builder.nodes.some(({ input }) => input?.includes(product.name));
  const isVector = bias.dims.length === 1 && bias.dims[0] === product.dims.at(-1) && !builder.isComputed(bias.name);
  if (made?.op !== 'MatMul' || isRead || !isVector || !builder.nodes.some(({ name }) => name === bias.name)) {
    return undefined;
  }
  // After its bias, so that the nodes stay in an order that runs.
  builder.nodes.splice(builder.nodes.indexOf(made), 1);
  builder.nodes.push({
    ...made,
    op: '_FusedMatMul',
    input: [...(made.input ?? []), bias.name],
    attr: { ...made.attr, num_args: { i: '1' }, fused_ops: { list: { s: [btoa('BiasAdd')] } }, epsilon: { f: 0 } },
  });
  return product;
}

/** NumPy broadcasting of sizes. */
function broadcast(shapes: readonly (readonly Size[])[]): Size[] {
  const rank = Math.max(...shapes.map((dims) => dims.length));
  return Array.from({ length: rank }, (_, axis) => {
    const sizes = shapes.map((dims) => dims[axis - rank + dims.length] ?? 1);
    return sizes.find((size) => size !== 1) ?? 1;
  });
}

/** Sizes after a reshape: 0 copies a size, -1 is what is left over. */
function reshaped(from: readonly Size[], target: readonly number[]): Size[] {
  const dims = target.map((size, axis) => (size === 0 ? (from[axis] as Size) : size));
  const rest = dims.indexOf(-1);
  if (rest < 0) return dims;
  const whole = axisSize(from);
  const others = axisSize(dims.filter((_, axis) => axis !== rest));
  const open = [...whole.open];
  for (const name of others.open) open.splice(open.indexOf(name), 1);
  const known = whole.known / others.known;
  const [size = known] = open;
  if (open.length > 1 || (open.length === 1 && known !== 1)) {
    throw new TypeError(`[${from}] has no one size for the rest of [${target}]`);
  }
  dims[rest] = size;
  return dims;
}

function numeric(size: Size): number {
  if (typeof size === 'string') throw new TypeError(`the size ${size} is open`);
  return size;
}
