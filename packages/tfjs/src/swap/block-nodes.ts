import type { AttentionBlock } from '@mhe/core';
import type { GraphIndex } from '../graph-model/graph-index.js';
import type { NodeDef } from '../graph-model/node-def.js';
import { nodeInputs, nodeOfValue } from '../graph-model/node-def.js';

/** The graph's value behind one of the view: an inner value of a node stands for what the node makes. */
export function modelValue(value: string): string {
  return value.split('\u0000')[0] as string;
}

/** The graph's node behind a value of the view. */
export function modelNode(index: Pick<GraphIndex, 'node'>, value: string): NodeDef | undefined {
  return index.node(nodeOfValue(modelValue(value)));
}

/**
 * The nodes that a block consists of: those from its projections to its output, and whatever computes something from
 * one of them for another (a reshape target from the size of the queries).
 */
export function blockNodes(index: GraphIndex, block: AttentionBlock): Set<NodeDef> {
  const { chain, output } = block;
  const views = [
    ...[block.query, block.key, block.value].flatMap(({ traced }) => traced.nodes),
    chain.product,
    ...chain.before.map(({ node }) => node),
    chain.softmax,
    ...chain.after.map(({ node }) => node),
    chain.context,
    ...output.layout,
    output.product,
    ...(output.bias ? [output.bias.node] : []),
  ];
  const own = new Set(views.flatMap((view) => modelNode(index, view.outputs[0] as string) ?? []));
  for (const { traced, stream } of [block.query, block.key, block.value]) {
    // What only flattened a stream before its projection belongs to the block: the new projections read the stream.
    let at = traced.projection.stream;
    while (stream && at !== stream.value) {
      const producer = modelNode(index, at);
      if (!producer) break;
      own.add(producer);
      at = producer.input?.[0] ?? '';
    }
  }
  const after = closure(own, ({ name }) => index.readers(name));
  const before = closure(own, (node) => nodeInputs(node).flatMap((name) => index.node(name) ?? []));
  return new Set([...after].filter((node) => before.has(node)));
}

/** Everything that can be reached from some nodes, these included. */
export function closure(from: Iterable<NodeDef>, next: (node: NodeDef) => readonly NodeDef[]): Set<NodeDef> {
  const reached = new Set(from);
  const open = [...reached];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    for (const neighbour of next(node)) {
      if (reached.has(neighbour)) continue;
      reached.add(neighbour);
      open.push(neighbour);
    }
  }
  return reached;
}
