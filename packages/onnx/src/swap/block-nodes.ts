import type { AttentionBlock } from '@mhe/core';
import { readNames } from '../graph/captures.js';
import type { GraphIndex } from '../graph/graph-index.js';

/**
 * Places of the nodes that a block consists of: those from its projections to its output, and whatever computes
 * something from one of them for another (a reshape target from the size of the queries).
 */
export function blockNodes(index: GraphIndex, block: AttentionBlock): number[] {
  const { chain, output } = block;
  const views = [
    ...[block.query, block.key, block.value].flatMap(({ traced, cache }) => [...traced.nodes, ...(cache?.aside ?? [])]),
    chain.product,
    ...chain.before.map(({ node }) => node),
    chain.softmax,
    ...chain.after.map(({ node }) => node),
    chain.context,
    ...output.layout,
    output.product,
    ...(output.bias ? [output.bias.node] : []),
  ];
  const own = new Set(views.flatMap((view) => index.producer(modelValue(view.outputs[0] as string))?.node ?? []));
  for (const { traced, stream } of [block.query, block.key, block.value]) {
    // What only flattened a stream before its projection belongs to the block: the new projections read the stream.
    let at = traced.projection.stream;
    while (stream && at !== stream.value) {
      const producer = index.producer(at);
      if (!producer) break;
      own.add(producer.node);
      at = index.node(producer.node).input[0] as string;
    }
  }
  const after = closure(own, (node) =>
    index.node(node).output.flatMap((value) => index.consumers(value).map((c) => c.node)),
  );
  const before = closure(own, (node) =>
    readNames(index.node(node)).flatMap((value) => index.producer(value)?.node ?? []),
  );
  return [...after].filter((node) => before.has(node)).sort((a, b) => a - b);
}

/** Values inside a block, whose sizes a form may change. */
export function insideNames(
  index: GraphIndex,
  block: AttentionBlock,
  nodes: readonly number[] = blockNodes(index, block),
): Set<string> {
  const names = new Set(nodes.flatMap((node) => index.node(node).output));
  names.delete(modelValue(block.output.output));
  return names;
}

/** The graph's value behind one of the view: an inner value of a node stands for what the node makes. */
export function modelValue(value: string): string {
  return value.split('\u0000')[0] as string;
}

function closure(from: ReadonlySet<number>, next: (node: number) => readonly number[]): Set<number> {
  const reached = new Set(from);
  const open = [...from];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    for (const neighbour of next(node)) {
      if (reached.has(neighbour)) continue;
      reached.add(neighbour);
      open.push(neighbour);
    }
  }
  return reached;
}
