import { readNames } from './captures.js';
import { constantNodes } from './constant-nodes.js';
import type { GraphIndex } from './graph-index.js';
import { nodeLabel } from './node-label.js';

/** A graph as a row of blocks with everything else between them. */
export interface Contraction {
  /** The blocks in the order in which they run: numbers into the list that was given. */
  readonly order: readonly number[];
  /**
   * Nodes between the blocks, each list in an order that runs: `segments[k]` is what block `order[k]` needs and no
   * block before it did; the last one, one more than there are blocks, is all the rest. Constant nodes are in none.
   */
  readonly segments: readonly (readonly number[])[];
  /** The nodes of each given block in the order of the graph, without the constant ones. */
  readonly blocks: readonly (readonly number[])[];
  /** Nodes that compute the same in every run ({@link constantNodes}); whoever needs them may repeat them. */
  readonly constants: ReadonlySet<number>;
}

/**
 * Orders a graph so that each block runs in one piece, with only what it needs before it.
 *
 * @param index - index of a sorted graph.
 * @param blocks - nodes of each block, by place in the graph; a node that is not constant is in one block at most.
 * @throws Error where blocks overlap, or where a block depends on itself through nodes outside of it (alone or by
 *   way of other blocks); the message names the nodes.
 */
export function contractBlocks(index: GraphIndex, blocks: readonly (readonly number[])[]): Contraction {
  const constants = constantNodes(index);
  const members = blocks.map((block) => block.filter((node) => !constants.has(node)).sort((a, b) => a - b));
  const blockOf = new Map<number, number>();
  members.forEach((block, number) => {
    for (const node of block) {
      const other = blockOf.get(node);
      if (other !== undefined)
        throw new Error(`Node ${label(index, node)} is in block ${other} and in block ${number}.`);
      blockOf.set(node, number);
    }
  });
  const order: number[] = [];
  const segments: number[][] = [[]];
  const append = (unit: Unit) => {
    if (unit.block === null) (segments[segments.length - 1] as number[]).push(...unit.nodes);
    else {
      order.push(unit.block);
      segments.push([]);
    }
  };
  visitUnits(index, members, blockOf, constants, append);
  return { order, segments, blocks: members, constants };
}

/** What runs in one piece: a block, or a single node outside all blocks. */
interface Unit {
  readonly block: number | null;
  readonly nodes: readonly number[];
}

/** One step of the search: a unit, and the reads of its nodes that are still to be followed. */
interface Step {
  readonly unit: Unit;
  readonly reads: readonly (readonly [reader: number, producer: number])[];
  next: number;
}

/** Depth-first from the blocks, then from what is left, so that each block pulls in just what it needs. */
function visitUnits(
  index: GraphIndex,
  blocks: readonly (readonly number[])[],
  blockOf: ReadonlyMap<number, number>,
  constants: ReadonlySet<number>,
  append: (unit: Unit) => void,
): void {
  const nodeUnits = index.graph.node.map((_, node): Unit => ({ block: null, nodes: [node] }));
  const blockUnits = blocks.map((nodes, block): Unit => ({ block, nodes }));
  const unitOf = (node: number) => blockUnits[blockOf.get(node) ?? -1] ?? (nodeUnits[node] as Unit);
  const open = new Set<Unit>();
  const done = new Set<Unit>();
  const stack: Step[] = [];
  const enter = (unit: Unit) => {
    open.add(unit);
    const reads = unit.nodes.flatMap((reader) =>
      readNames(index.node(reader))
        .map((name) => index.producer(name)?.node)
        .filter((producer) => producer !== undefined && !constants.has(producer) && unitOf(producer) !== unit)
        .map((producer) => [reader, producer as number] as const),
    );
    stack.push({ unit, reads, next: 0 });
  };
  const inOrder = [...blockUnits].sort((a, b) => (a.nodes[0] ?? 0) - (b.nodes[0] ?? 0));
  const others = nodeUnits.filter((_, node) => !constants.has(node) && !blockOf.has(node));
  for (const start of [...inOrder, ...others]) {
    if (!done.has(start)) enter(start);
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const read = top.reads[top.next++];
      if (read === undefined) {
        done.add(top.unit);
        append(top.unit);
        stack.pop();
        continue;
      }
      const unit = unitOf(read[1]);
      if (done.has(unit)) continue;
      if (open.has(unit)) throw new Error(cycleMessage(index, stack, unit, blockOf));
      enter(unit);
    }
  }
}

function cycleMessage(index: GraphIndex, stack: readonly Step[], unit: Unit, blockOf: ReadonlyMap<number, number>) {
  const cycle = stack.slice(stack.findIndex((step) => step.unit === unit));
  const block = cycle.find((step) => step.unit.block !== null)?.unit.block;
  const name = (node: number) => {
    const inBlock = blockOf.get(node);
    return `${label(index, node)}${inBlock === undefined ? '' : ` of block ${inBlock}`}`;
  };
  const reads = cycle.map((step) => {
    const [reader, producer] = step.reads[step.next - 1] as readonly [number, number];
    return `${name(reader)} reads from ${name(producer)}`;
  });
  const shown = reads.length > 6 ? [...reads.slice(0, 5), `${reads.length - 6} more nodes`, ...reads.slice(-1)] : reads;
  return `Block ${block} cannot run in one piece, it would wait for itself: ${shown.join('; ')}.`;
}

function label(index: GraphIndex, node: number): string {
  return nodeLabel(index.node(node), node);
}
