import type { AttentionBlock, BlockReplacement } from '@mhe/core';
import { keepsOutput, writeCanonicalBlock } from '@mhe/core';
import { graphWriter } from '../emit/graph-writer.js';
import { NodeBuilder } from '../emit/node-builder.js';
import { outputNodes } from '../emit/output-weights.js';
import { emitWidenedBlock } from '../emit/widened-block.js';
import { type StoredType, storedType } from '../file/encode-weight.js';
import type { TfjsModel } from '../file/model.js';
import { freshNames } from '../graph-model/fresh-names.js';
import { graphIndex } from '../graph-model/graph-index.js';
import { graphOf } from '../graph-model/graph-model.js';
import type { NodeDef } from '../graph-model/node-def.js';
import { valueName } from '../graph-model/node-def.js';
import { withNodes } from '../graph-model/prune-graph.js';
import { modelNode } from './block-nodes.js';

/**
 * A model with one block computed another way. Everything outside the block stays, and so do the values inside it
 * that something outside reads; weights that others share are left to them.
 *
 * @param model - the model, or a part of it that holds the block.
 * @param prefix - start of the names of new nodes.
 * @param stored - how new matrices are stored.
 */
export function replaceBlock(
  model: TfjsModel,
  block: AttentionBlock,
  replacement: BlockReplacement,
  prefix: string,
  stored: StoredType = null,
): TfjsModel {
  const index = graphIndex(model);
  const builder = new NodeBuilder({ freshNames: freshNames(index.nodes), prefix, stored });
  const nodeOf = (value: string): NodeDef => {
    const node = modelNode(index, value);
    if (!node) throw new Error(`${model.name}: nothing makes "${value}"`);
    return node;
  };
  const replaced = new Map<NodeDef, NodeDef | null>();
  if (replacement.form === 'widened') {
    const operands = emitWidenedBlock(builder, block, replacement.weights, nodeOf);
    for (const product of [block.chain.product, block.chain.context]) {
      const node = nodeOf(product.outputs[0] as string);
      replaced.set(node, {
        ...node,
        input: (node.input ?? []).map((input) => operands.get(valueName(input)) ?? input),
      });
    }
  } else {
    const { form } = replacement;
    const made = writeCanonicalBlock(graphWriter(builder, block), block, { ...replacement, form });
    for (const value of made) replaced.set(nodeOf(value), null);
  }
  const { output } = replacement.weights;
  // A part of a model may end before the output projection.
  const hasOutput = modelNode(index, block.output.output) !== undefined;
  if (hasOutput && !keepsOutput(block, output)) {
    for (const [node, changed] of outputNodes(builder, block, output, nodeOf)) replaced.set(node, changed);
  }
  const kept = graphOf(model).node.flatMap((node) => {
    const changed = replaced.get(node);
    return changed === undefined ? [node] : (changed ?? []);
  });
  return withNodes(model, [...kept, ...builder.nodes], [...model.weights, ...builder.weights]);
}

/** How the model stores the block's projections; `null` where they are stored unlike. */
export function storedTypeOf(model: TfjsModel, block: AttentionBlock): StoredType {
  const projections = [block.query, block.key, block.value].map(({ traced }) => traced.projection.weight);
  const types = [...projections, block.output.weight].map((name) => {
    const weight = model.weights.find(({ spec }) => spec.name === name);
    return weight ? storedType(weight.spec) : null;
  });
  return types.every((type) => type === types[0]) ? (types[0] ?? null) : null;
}
