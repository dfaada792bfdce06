import type {
  AttentionBlock,
  BlockProjection,
  FoldedMheWeights,
  ViewNode,
  WidenedConstant,
  WidenedProjection,
} from '@mhe/core';
import { planWidened } from '@mhe/core';
import type { NodeDef } from '../graph-model/node-def.js';
import { dataInputs, valueName } from '../graph-model/node-def.js';
import type { NodeBuilder } from './node-builder.js';

/**
 * Emits a block whose heads are no axis of their own, as core's `planWidened` has it. Scores, masks and the product
 * with the values stay as they are.
 *
 * @returns names of the operands of the two products and what the new nodes call them.
 */
export function emitWidenedBlock(
  builder: NodeBuilder,
  block: AttentionBlock,
  weights: FoldedMheWeights,
  nodeOf: (value: string) => NodeDef,
): ReadonlyMap<string, string> {
  const wide = new Map<ViewNode, string>();
  for (const planned of planWidened(block, weights))
    wide.set(planned.projection.node, widen(builder, planned, nodeOf(planned.projection.node.outputs[0] as string)));
  const cloned = new Map<string, string>();
  const parts = [block.query, block.key, block.value];
  return new Map(parts.map((part) => [part.operand, replay(builder, part, wide, cloned, nodeOf)]));
}

function widen(builder: NodeBuilder, planned: WidenedProjection, node: NodeDef): string {
  const { sharedBias, pick, columnAxis, gain, bias } = planned;
  const constant = ({ data, dims }: WidenedConstant) => builder.floats(data, dims);
  let value = narrowProduct(builder, planned, node);
  if (sharedBias) value = builder.node('AddV2', [value, constant(sharedBias)]);
  if (pick) value = builder.node('GatherV2', [value, builder.integers(pick), builder.integers(columnAxis)]);
  if (gain) value = builder.node('Mul', [value, constant(gain)]);
  return bias ? builder.node('AddV2', [value, constant(bias)]) : value;
}

/** Operators that multiply and do nothing else, for those that do more. */
const plainOperators: Readonly<Record<string, string>> = { _FusedMatMul: 'MatMul', _FusedConv2D: 'Conv2D' };

/** The model's own projection with fewer columns and without what is folded into the weights. */
function narrowProduct(builder: NodeBuilder, { projection, weight }: WidenedProjection, node: NodeDef): string {
  const narrow = builder.floats(weight.data, weight.dims);
  const op = plainOperators[node.op] ?? node.op;
  const { fused_ops, num_args, epsilon, _output_shapes, ...attr } = node.attr ?? {};
  const name = builder.target.freshNames(`${builder.target.prefix}/${op}`);
  const operands = dataInputs(node).slice(0, 2);
  builder.nodes.push({
    name,
    op,
    attr,
    input: operands.map((value) => (value === projection.weight ? narrow : value)),
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
