import { create } from '@bufbuild/protobuf';
import type { AttentionBlock, Projection } from '@mhe/core';
import type { NodeProto } from 'onnx-buf';
import { NodeProtoSchema } from 'onnx-buf';
import { edit } from '../graph/edit.js';
import type { NodeBuilder } from './node-builder.js';

/**
 * Gives a block's output projection another weight and bias, each in the layout that the model's own node reads, as
 * constants of their own: what shared the old ones keeps them.
 *
 * @param nodeOf - the model's node behind an output name.
 * @returns the nodes that take the place of the model's, by what they replace.
 */
export function outputNodes(
  builder: NodeBuilder,
  block: AttentionBlock,
  projection: Projection,
  nodeOf: (output: string) => NodeProto,
): ReadonlyMap<NodeProto, NodeProto> {
  const { output } = block;
  const { weight, bias } = projection;
  const { rows, columns } = output.elements();
  const data = Float64Array.from(rows, (row, i) => weight.data[row * weight.cols + (columns[i] as number)] as number);
  const productOut = output.output;
  const last = nodeOf(productOut);
  const product = output.bias && last.opType === 'Add' ? nodeOf(output.product.outputs[0] as string) : last;
  const newWeight = builder.float(data, output.weightDims);
  let changed = withInput(product, output.weight, newWeight);
  const replaced = new Map<NodeProto, NodeProto>();
  if (last !== product) {
    // A separate addition: it keeps its place, so that what reads the product's size still finds it.
    const biasValue = bias ?? new Float64Array(output.outputDim);
    replaced.set(last, withInput(last, output.bias?.value ?? '', builder.float(biasValue, biasDims(block), 'bias')));
  } else if (bias) {
    const name = builder.float(bias, [output.outputDim], 'bias');
    if (product.opType === 'Gemm' || product.opType === 'Conv') {
      changed = edit(changed, {
        input: [...changed.input.slice(0, 2), name],
        attribute: changed.attribute.filter((attribute) => attribute.name !== 'beta'),
      });
    } else {
      const inner = builder.target.freshNames(`${builder.target.prefix}/product`);
      changed = edit(changed, { output: [inner] });
      builder.nodes.push(
        create(NodeProtoSchema, {
          name: builder.target.freshNames(`${builder.target.prefix}/Add`),
          opType: 'Add',
          input: [inner, name],
          output: [productOut],
        }),
      );
    }
  }
  replaced.set(product, changed);
  return replaced;
}

/** The bias as the model has it: along the same axis, other axes 1. */
function biasDims({ output }: AttentionBlock): readonly number[] {
  const dims = output.bias?.dims ?? [];
  return dims.reduce((count, dim) => count * dim, 1) === output.outputDim && dims.length > 0
    ? dims
    : [output.outputDim];
}

function withInput(node: NodeProto, from: string, to: string): NodeProto {
  return edit(node, { input: node.input.map((input) => (input === from ? to : input)) });
}
