import type { AttentionBlock, BlockProjection, FoldedMheWeights, Matrix, ProjectionProduct, ViewNode } from '@mhe/core';
import type { NodeProto } from 'onnx-buf';
import { edit } from '../graph/edit.js';
import type { NodeBuilder } from './node-builder.js';
import { onnxPort } from './port.js';

/** Why a block cannot take the widened form, as a clause; `null` where it can. */
export function widenedObstacle(block: AttentionBlock): string | null {
  const odd = [block.query, block.key, block.value].find(({ traced }) => traced.projection.columnAxes.length !== 1);
  return odd ? `its projection ${odd.traced.projection.node.source} has columns on several axes` : null;
}

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
  nodeOf: (output: string) => NodeProto,
): ReadonlyMap<string, string> {
  const obstacle = widenedObstacle(block);
  if (obstacle) throw new TypeError(`${block.chain.softmax.source}: ${obstacle}`);
  const parts = [
    {
      part: block.query,
      shared: weights.query,
      groups: weights.groups.queryKey,
      gain: weights.queryGain,
      bias: weights.queryBias,
    },
    { part: block.key, shared: weights.key, groups: weights.groups.queryKey, gain: null, bias: null },
    { part: block.value, shared: weights.value, groups: weights.groups.value, gain: null, bias: null },
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
  nodeOf: (output: string) => NodeProto,
): string {
  const port = onnxPort(builder);
  const narrow = widening.shared.reduce((total, { cols }) => total + cols, 0);
  const columnAxis = projection.columnAxes[0] as number;
  const vector = projection.outDims.map((_, axis) => (axis === columnAxis ? -1 : 1)).slice(columnAxis);
  const along = (values: Float64Array) =>
    port.constant(
      values,
      vector.map((dim) => (dim === -1 ? values.length : 1)),
    );
  let value = narrowProduct(builder, projection, widening.shared, narrow, nodeOf);
  const bias = Float64Array.from(widening.sharedBias.flatMap((part) => [...part]));
  if (bias.some((x) => x !== 0)) value = port.add(value, along(bias));
  if (!widening.pick.every((from, at) => from === at) || narrow !== projection.columnCount) {
    value = port.gather(value, widening.pick, columnAxis);
  }
  if (widening.gain.some((x) => x !== 1)) value = port.mul(value, along(widening.gain));
  return widening.bias.some((x) => x !== 0) ? port.add(value, along(widening.bias)) : value;
}

/** The model's own projection with fewer columns and without what is folded into the weights. */
function narrowProduct(
  builder: NodeBuilder,
  projection: ProjectionProduct,
  shared: readonly Matrix[],
  narrow: number,
  nodeOf: (output: string) => NodeProto,
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
  const weight = builder.float(data, dims);
  const output = projection.node.outputs[0] as string;
  // A node that also adds a bias has an inner product in the view; its name ends before the NUL.
  const node = nodeOf(output.split('\u0000')[0] as string);
  const { freshNames, prefix } = builder.target;
  const name = freshNames(`${prefix}/${node.opType}`);
  const product = freshNames(`${name}_output`);
  builder.nodes.push(
    edit(node, {
      name,
      input: node.input.slice(0, 2).map((input) => (input === projection.weight ? weight : input)),
      output: [product],
      attribute: node.attribute.filter((attribute) => attribute.name !== 'alpha' && attribute.name !== 'beta'),
    }),
  );
  return product;
}

/** Takes a widened projection the way that the model takes its own, leaving out what is folded into the weights. */
function replay(
  builder: NodeBuilder,
  part: BlockProjection,
  wide: ReadonlyMap<ViewNode, string>,
  cloned: Map<string, string>,
  nodeOf: (output: string) => NodeProto,
): string {
  const { nodes, outputs } = part.traced;
  let value = wide.get(nodes[0] as ViewNode) as string;
  nodes.forEach((view, i) => {
    const { kind } = view.operator;
    if (i === 0 || kind === 'binary' || kind === 'unary' || kind === 'identity') return;
    const output = outputs[i] as string;
    const key = `${value}|${output}`;
    let copy = cloned.get(key);
    if (copy === undefined) {
      const node = nodeOf(output);
      const name = builder.target.freshNames(`${builder.target.prefix}/${node.opType}`);
      const names = node.output.map((_, at) => builder.target.freshNames(`${name}_output_${at}`));
      builder.nodes.push(edit(node, { name, input: [value, ...node.input.slice(1)], output: names }));
      node.output.forEach((original, at) => {
        cloned.set(`${value}|${original}`, names[at] as string);
      });
      copy = cloned.get(key) as string;
    }
    value = copy;
  });
  return value;
}
