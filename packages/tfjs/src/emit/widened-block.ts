import type { AttentionBlock, BlockProjection, FoldedMheWeights, Matrix, ProjectionProduct, ViewNode } from '@mhe/core';
import { widenedObstacle } from '@mhe/core';
import type { NodeDef } from '../graph-model/node-def.js';
import { dataInputs, valueName } from '../graph-model/node-def.js';
import type { NodeBuilder } from './node-builder.js';

/** What each column of a projection is made of: a column of the shared projection, a factor and a summand. */
interface Widening {
  readonly shared: Matrix[];
  readonly sharedBias: Float64Array[];
  readonly pick: number[];
  readonly gain: Float64Array;
  readonly bias: Float64Array;
}

/**
 * Emits a block whose heads are no axis of their own: the shared projections are computed narrow, spread to the
 * width and the column order of the original projection, and go the original's way through its reshapes. Scores,
 * masks and the product with the values stay as they are.
 *
 * @returns names of the operands of the two products and what the new nodes call them.
 */
export function emitWidenedBlock(
  builder: NodeBuilder,
  block: AttentionBlock,
  weights: FoldedMheWeights,
  nodeOf: (value: string) => NodeDef,
): ReadonlyMap<string, string> {
  const obstacle = widenedObstacle(block);
  if (obstacle) throw new TypeError(`${block.chain.softmax.source}: ${obstacle}`);
  const { queryKey, value: valueGroups } = weights.groups;
  const plain = { gain: null, bias: null };
  const parts = [
    { part: block.query, shared: weights.query, groups: queryKey, gain: weights.queryGain, bias: weights.queryBias },
    { part: block.key, shared: weights.key, groups: queryKey, ...plain },
    { part: block.value, shared: weights.value, groups: valueGroups, ...plain },
  ];
  const wide = new Map<ViewNode, string>();
  for (const base of new Set(parts.map(({ part }) => part.traced.projection.node))) {
    const members = parts.filter(({ part }) => part.traced.projection.node === base);
    const projection = (members[0] as (typeof members)[number]).part.traced.projection;
    const widening: Widening = {
      shared: [],
      sharedBias: [],
      pick: new Array<number>(projection.columnCount).fill(0),
      gain: new Float64Array(projection.columnCount).fill(1),
      bias: new Float64Array(projection.columnCount),
    };
    let start = 0;
    for (const { part, shared, groups, gain, bias } of members) {
      const width = part.heads.columns.length / weights.numHeads;
      part.heads.columns.forEach((column, at) => {
        const head = Math.floor(at / width);
        widening.pick[column] = start + (groups[head] as number) * width + (at % width);
        widening.gain[column] = gain?.data[at] ?? 1;
        widening.bias[column] = bias?.data[at] ?? 0;
      });
      widening.shared.push(shared.weight);
      widening.sharedBias.push(shared.bias ?? new Float64Array(shared.weight.cols));
      start += shared.weight.cols;
    }
    wide.set(base, widen(builder, projection, widening, nodeOf));
  }
  const cloned = new Map<string, string>();
  return new Map(parts.map(({ part }) => [part.operand, replay(builder, part, wide, cloned, nodeOf)]));
}

function widen(
  builder: NodeBuilder,
  projection: ProjectionProduct,
  widening: Widening,
  nodeOf: (value: string) => NodeDef,
): string {
  const narrow = widening.shared.reduce((total, { cols }) => total + cols, 0);
  const columnAxis = projection.columnAxes[0] as number;
  const vector = projection.outDims.map((_, axis) => (axis === columnAxis ? -1 : 1)).slice(columnAxis);
  const along = (values: Float64Array) =>
    builder.floats(
      values,
      vector.map((dim) => (dim === -1 ? values.length : 1)),
    );
  let value = narrowProduct(builder, projection, widening.shared, narrow, nodeOf);
  const bias = Float64Array.from(widening.sharedBias.flatMap((part) => [...part]));
  if (bias.some((x) => x !== 0)) value = builder.node('AddV2', [value, along(bias)]);
  if (!widening.pick.every((from, at) => from === at) || narrow !== projection.columnCount) {
    value = builder.node('GatherV2', [value, builder.integers(widening.pick), builder.integers(columnAxis)]);
  }
  if (widening.gain.some((x) => x !== 1)) value = builder.node('Mul', [value, along(widening.gain)]);
  return widening.bias.some((x) => x !== 0) ? builder.node('AddV2', [value, along(widening.bias)]) : value;
}

/** Operators that multiply and do nothing else, for those that do more. */
const plainOperators: Readonly<Record<string, string>> = { _FusedMatMul: 'MatMul', _FusedConv2D: 'Conv2D' };

/** The model's own projection with fewer columns and without what is folded into the weights. */
function narrowProduct(
  builder: NodeBuilder,
  projection: ProjectionProduct,
  shared: readonly Matrix[],
  narrow: number,
  nodeOf: (value: string) => NodeDef,
): string {
  const dims = projection.weightDims.map((dim, axis) => (axis === projection.weightColumnAxes[0] ? narrow : dim));
  const data = new Float64Array(narrow * projection.inputDim);
  const channelFirst = projection.weightChannelAxis < (projection.weightColumnAxes[0] as number);
  let start = 0;
  for (const { rows, cols, data: from } of shared) {
    for (let row = 0; row < rows; row++) {
      for (let col = 0; col < cols; col++) {
        const at = channelFirst ? row * narrow + start + col : (start + col) * rows + row;
        data[at] = from[row * cols + col] as number;
      }
    }
    start += cols;
  }
  const weight = builder.floats(data, dims);
  const node = nodeOf(projection.node.outputs[0] as string);
  const op = plainOperators[node.op] ?? node.op;
  const { fused_ops, num_args, epsilon, _output_shapes, ...attr } = node.attr ?? {};
  const name = builder.target.freshNames(`${builder.target.prefix}/${op}`);
  const operands = dataInputs(node).slice(0, 2);
  builder.nodes.push({
    name,
    op,
    attr,
    input: operands.map((value) => (value === projection.weight ? weight : value)),
  });
  return name;
}

/** Takes a widened projection the way that the model takes its own, leaving out what is folded into the weights. */
function replay(
  builder: NodeBuilder,
  part: BlockProjection,
  wide: ReadonlyMap<ViewNode, string>,
  cloned: Map<string, string>,
  nodeOf: (value: string) => NodeDef,
): string {
  const { nodes, outputs } = part.traced;
  let value = wide.get(nodes[0] as ViewNode) as string;
  nodes.forEach((view, i) => {
    const { kind } = view.operator;
    const output = outputs[i] as string;
    // Several steps of the view may be one node of the graph; only the last makes a value of the graph.
    const isInner = output.includes('\u0000');
    if (i === 0 || kind === 'binary' || kind === 'unary' || kind === 'identity' || isInner) return;
    const node = nodeOf(output);
    const key = `${value}|${node.name}`;
    let copy = cloned.get(key);
    if (copy === undefined) {
      const { _output_shapes, ...attr } = node.attr ?? {};
      copy = builder.target.freshNames(`${builder.target.prefix}/${node.op}`);
      const chain = chainInput(node, part, i);
      const input = (node.input ?? []).map((name) => (valueName(name) === chain ? (value as string) : name));
      builder.nodes.push({ ...node, name: copy, attr, input });
      cloned.set(key, copy);
    }
    value = `${copy}${output.slice(node.name.length)}`;
  });
  return value;
}

/** The value of the graph that a step of the way reads. */
function chainInput(node: NodeDef, { traced }: BlockProjection, at: number): string {
  const before = traced.outputs.slice(0, at).reverse();
  return before.find((value) => dataInputs(node).includes(value)) ?? (dataInputs(node)[0] as string);
}
