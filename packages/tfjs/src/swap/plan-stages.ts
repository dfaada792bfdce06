import type { GraphIndex } from '../graph-model/graph-index.js';
import type { NodeDef } from '../graph-model/node-def.js';
import { dataInputs, nodeOfValue } from '../graph-model/node-def.js';
import { isInput } from '../view/graph-view.js';
import { closure } from './block-nodes.js';

/** One piece of a model that runs piece by piece: what a block needs that no piece before it made, then the block. */
export interface Stage {
  /** The block's nodes. */
  readonly block: ReadonlySet<NodeDef>;
  /** What the block reads that it does not make itself, constants aside. */
  readonly blockInputs: readonly string[];
  /**
   * The frontier behind the stage: of all values made so far and of the model's inputs, those that later stages or the
   * model's outputs need.
   */
  readonly held: readonly string[];
}

/** Why a block cannot run in one piece with others, as a clause; `null` where it can. */
export function stageObstacle(
  index: GraphIndex,
  accepted: readonly ReadonlySet<NodeDef>[],
  block: ReadonlySet<NodeDef>,
): string | null {
  const isDynamic = dynamicNodes(index);
  for (const other of accepted) {
    const shared = [...block].find((node) => other.has(node) && isDynamic.has(node));
    if (shared) return `it shares ${shared.name} with another block`;
    const behind = closure(block, ({ name }) => index.readers(name));
    const before = closure(other, ({ name }) => index.readers(name));
    const feeds = [...other].some((node) => behind.has(node));
    const isFed = [...block].some((node) => before.has(node));
    if (feeds && isFed) return 'it and another block wait for each other';
  }
  return null;
}

/**
 * Cuts a model into stages that end with the given blocks, in the order the model runs them. Values that are the same
 * in every run are in no frontier: each part computes those that it needs.
 *
 * @param blocks - nodes of each block; none has an obstacle with the others.
 * @returns the stages, and for each the number of its block.
 */
export function planStages(
  index: GraphIndex,
  blocks: readonly ReadonlySet<NodeDef>[],
): readonly (Stage & { readonly number: number })[] {
  const dynamic = dynamicNodes(index);
  const before = blocks.map((block) =>
    closure(block, (node) => dataInputs(node).flatMap((value) => index.node(nodeOfValue(value)) ?? [])),
  );
  // A block that another one needs has fewer nodes before it.
  const order = [...blocks.keys()].sort((a, b) => (before[a]?.size ?? 0) - (before[b]?.size ?? 0) || a - b);
  const made = new Set<NodeDef>(index.nodes.filter(isInput));
  return order.map((number) => {
    const block = blocks[number] as ReadonlySet<NodeDef>;
    for (const node of before[number] ?? []) if (dynamic.has(node)) made.add(node);
    const isMade = (value: string) => {
      const node = index.node(nodeOfValue(value));
      return node !== undefined && made.has(node) && dynamic.has(node);
    };
    const later = index.nodes.filter((node) => dynamic.has(node) && !made.has(node));
    const wanted = [...later.flatMap((node) => dataInputs(node)), ...index.outputs];
    const reads = [...block].filter((node) => dynamic.has(node)).flatMap((node) => dataInputs(node));
    return {
      number,
      block,
      blockInputs: [...new Set(reads)].filter((value) => {
        const node = index.node(nodeOfValue(value)) as NodeDef;
        return dynamic.has(node) && !block.has(node);
      }),
      held: [...new Set(wanted)].filter(isMade),
    };
  });
}

/** Nodes that depend on what the caller feeds. */
function dynamicNodes(index: GraphIndex): Set<NodeDef> {
  return closure(index.nodes.filter(isInput), ({ name }) => index.readers(name));
}
