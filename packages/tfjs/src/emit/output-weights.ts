import type { AttentionBlock, Projection } from '@mhe/core';
import { stringsAttribute } from '../graph-model/attributes.js';
import type { NodeDef } from '../graph-model/node-def.js';
import { valueName } from '../graph-model/node-def.js';
import type { NodeBuilder } from './node-builder.js';

/**
 * Gives a block's output projection another weight and bias, each in the layout that the model's own node reads, as
 * weights of their own: what shared the old ones keeps them.
 *
 * @param nodeOf - the model's node behind a value of the view.
 * @returns the nodes that take the place of the model's, by what they replace.
 */
export function outputNodes(
  builder: NodeBuilder,
  block: AttentionBlock,
  projection: Projection,
  nodeOf: (value: string) => NodeDef,
): ReadonlyMap<NodeDef, NodeDef> {
  const { output } = block;
  const { weight, bias } = projection;
  const { rows, columns } = output.elements();
  const data = Float64Array.from(rows, (row, i) => weight.data[row * weight.cols + (columns[i] as number)] as number);
  const product = nodeOf(output.product.outputs[0] as string);
  const last = nodeOf(output.output);
  const replaced = new Map<NodeDef, NodeDef>();
  let changed = withInput(product, output.weight, builder.floats(data, output.weightDims));
  if (output.bias) {
    const values = bias ?? new Float64Array(output.outputDim);
    const name = builder.floats(values, biasDims(block), 'bias');
    if (last === product) changed = withInput(changed, output.bias.value, name);
    else replaced.set(last, withInput(last, output.bias.value, name));
  } else if (bias) {
    const name = builder.floats(bias, [output.outputDim], 'bias');
    const inner = builder.target.freshNames(`${builder.target.prefix}/product`);
    changed = { ...changed, name: inner };
    builder.rename(builder.node('AddV2', [inner, name]), product.name);
  }
  replaced.set(product, changed);
  return replaced;
}

/** Whether something is fused behind the output projection that is no part of it. */
export function fusedAfterOutput(node: NodeDef): string | undefined {
  return stringsAttribute(node, 'fused_ops').find((op) => op !== 'BiasAdd');
}

/** The bias as the model has it: along the same axis, other axes 1. */
function biasDims({ output }: AttentionBlock): readonly number[] {
  const dims = output.bias?.dims ?? [];
  return dims.reduce((count, dim) => count * dim, 1) === output.outputDim && dims.length > 0
    ? dims
    : [output.outputDim];
}

/** A node with another value in the place of one that it reads. */
function withInput(node: NodeDef, from: string, to: string): NodeDef {
  return { ...node, input: (node.input ?? []).map((input) => (valueName(input) === from ? to : input)) };
}
