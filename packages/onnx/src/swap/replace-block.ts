import type { BlockReplacement } from '@mhe/core';
import { keepsOutput, writeCanonicalBlock } from '@mhe/core';
import type { GraphProto, NodeProto } from 'onnx-buf';
import { graphWriter } from '../emit/graph-writer.js';
import { NodeBuilder } from '../emit/node-builder.js';
import { outputNodes } from '../emit/output-weights.js';
import { emitWidenedBlock } from '../emit/widened-block.js';
import { isOnnxDomain } from '../graph/constant-tensor.js';
import { edit } from '../graph/edit.js';
import { freshNames } from '../graph/fresh-names.js';
import { graphIndex } from '../graph/graph-index.js';
import type { OnnxModel } from '../graph/model.js';
import { pruneGraph } from '../graph/prune-graph.js';
import { sortNodes } from '../graph/sort-nodes.js';
import type { FloatDtype } from '../tensor/dtype.js';
import { declaredCaches } from './block-caches.js';
import { modelValue } from './block-nodes.js';
import type { BlockStage } from './block-stage.js';

/** Starts a builder whose names and operators fit a model. */
export function builderFor(model: OnnxModel, dtype: FloatDtype, prefix: string): NodeBuilder {
  const graph = model.proto.graph as GraphProto;
  const opset = model.proto.opsetImport.find(({ domain }) => isOnnxDomain(domain))?.version ?? 1n;
  return new NodeBuilder({
    opset: Number(opset),
    irVersion: Number(model.proto.irVersion),
    dtype,
    freshNames: freshNames(graph),
    prefix,
  });
}

/**
 * A model with one block computed another way. Everything outside the block stays, and so do the values inside it
 * that something outside reads; weights that others share are left to them.
 *
 * @param model - the model, or a part of it that holds the block.
 * @param place - the block, and the values inside it.
 */
export function replaceBlock(
  model: OnnxModel,
  { block, inside }: Pick<BlockStage, 'block' | 'inside'>,
  replacement: BlockReplacement,
  dtype: FloatDtype,
  prefix: string,
): OnnxModel {
  const graph = model.proto.graph as GraphProto;
  const index = graphIndex(graph);
  const builder = builderFor(model, dtype, prefix);
  const nodeOf = (output: string): NodeProto => {
    const producer = index.producer(modelValue(output));
    if (!producer) throw new Error(`${model.name}: nothing makes "${modelValue(output)}"`);
    return index.node(producer.node);
  };
  const replaced = new Map<NodeProto, NodeProto | null>();
  if (replacement.form === 'widened') {
    const operands = emitWidenedBlock(builder, block, replacement.weights, nodeOf);
    for (const product of [block.chain.product, block.chain.context]) {
      const node = nodeOf(product.outputs[0] as string);
      replaced.set(node, edit(node, { input: node.input.map((input) => operands.get(input) ?? input) }));
    }
  } else {
    const { form } = replacement;
    const made = writeCanonicalBlock(graphWriter(builder, block), block, { ...replacement, form });
    for (const value of made) {
      // A part of a model may do without a value that the whole one has.
      if (index.producer(modelValue(value))) replaced.set(nodeOf(value), null);
    }
  }
  const { output } = replacement.weights;
  // A part of a model may end before the output projection.
  const ends = index.producer(modelValue(block.output.output)) === undefined;
  if (!ends && !keepsOutput(block, output)) {
    for (const [node, changed] of outputNodes(builder, block, output, nodeOf)) replaced.set(node, changed);
  }
  const kept = graph.node.flatMap((node) => {
    const changed = replaced.get(node);
    return changed === undefined ? [node] : (changed ?? []);
  });
  const edited = edit(graph, {
    node: [...kept, ...builder.nodes],
    initializer: [...graph.initializer, ...builder.initializers],
    input: declaredCaches(block, replacement.weights, graph.input),
    output: declaredCaches(block, replacement.weights, graph.output),
    // What the file states of inner sizes may no longer hold where heads are no longer computed apart.
    valueInfo: graph.valueInfo.filter(({ name }) => !inside.has(name)),
  });
  return { ...model, proto: edit(model.proto, { graph: pruneGraph(sortNodes(edited), graph) }) };
}
