import type { AttentionBlock, BlockProjection, FoldedMheWeights, ViewNode, WidenedProjection } from '@mhe/core';
import { planWidened } from '@mhe/core';
import type { NodeProto } from 'onnx-buf';
import { edit } from '../graph/edit.js';
import type { NodeBuilder } from './node-builder.js';
import { onnxPort } from './port.js';

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
  nodeOf: (output: string) => NodeProto,
): ReadonlyMap<string, string> {
  const wide = new Map<ViewNode, string>();
  for (const planned of planWidened(block, weights))
    wide.set(planned.projection.node, widen(builder, planned, nodeOf(planned.projection.node.outputs[0] as string)));
  const cloned = new Map<string, string>();
  const parts = [block.query, block.key, block.value];
  return new Map(parts.map((part) => [part.operand, replay(builder, part, wide, cloned, nodeOf)]));
}

function widen(builder: NodeBuilder, planned: WidenedProjection, node: NodeProto): string {
  const { sharedBias, pick, columnAxis, gain, bias } = planned;
  const port = onnxPort(builder);
  let value = narrowProduct(builder, planned, node);
  if (sharedBias) value = port.add(value, port.constant(sharedBias.data, sharedBias.dims));
  if (pick) value = port.gather(value, pick, columnAxis);
  if (gain) value = port.mul(value, port.constant(gain.data, gain.dims));
  return bias ? port.add(value, port.constant(bias.data, bias.dims)) : value;
}

/** The model's own projection with fewer columns and without what is folded into the weights. */
function narrowProduct(builder: NodeBuilder, { projection, weight }: WidenedProjection, node: NodeProto): string {
  const { freshNames, prefix } = builder.target;
  const narrow = builder.float(weight.data, weight.dims);
  const name = freshNames(`${prefix}/${node.opType}`);
  const product = freshNames(`${name}_output`);
  builder.nodes.push(
    edit(node, {
      name,
      input: node.input.slice(0, 2).map((input) => (input === projection.weight ? narrow : input)),
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
