import { readNames } from './captures.js';
import { type Contraction, contractBlocks } from './contract-blocks.js';
import type { GraphIndex } from './graph-index.js';

/**
 * One piece of a model that runs piece by piece: some nodes, then at most one block. Values here never include
 * constants: initialisers and what is computed from them alone are repeated in each stage that needs them.
 */
export interface Stage {
  /** The block that ends the stage, a number into the list that was given; `null` for the last stage. */
  readonly block: number | null;
  /** Its nodes in an order that runs, without constant ones. */
  readonly nodes: readonly number[];
  /** Values that it reads and does not compute: outputs of earlier stages, and graph inputs. */
  readonly inputs: readonly string[];
  /** Values that it computes for later stages, or that are wanted at the end. */
  readonly outputs: readonly string[];
  /**
   * The frontier behind it: of all values computed so far, those that later stages read or that are wanted at the
   * end. Everything else may be forgotten.
   */
  readonly held: readonly string[];
}

/**
 * Cuts a model into stages that end with the given blocks, in the order the model runs them, and a last stage for
 * the rest. Running stage after stage, each fed from the graph inputs and what is held, computes what the whole
 * model computes.
 *
 * @param index - index of a sorted graph.
 * @param blocks - nodes of each block, by place in the graph.
 * @param wanted - values to have at the end. Default: the graph's outputs.
 * @throws Error as {@link contractBlocks} does.
 */
export function planStages(
  index: GraphIndex,
  blocks: readonly (readonly number[])[],
  wanted: Iterable<string> = index.outputs,
): Stage[] {
  const contraction = contractBlocks(index, blocks);
  const pieces = contraction.segments.map((segment, k) => {
    const block = contraction.order[k] ?? null;
    return { block, nodes: [...segment, ...(block === null ? [] : (contraction.blocks[block] ?? []))] };
  });
  const last = pieces.length - 1;
  const stageOf = stageOfValue(index, pieces);
  const reads = pieces.map(({ nodes }) => new Set(nodes.flatMap((node) => dynamicReads(index, node, contraction))));
  // A wanted value is in use beyond the last stage; a constant one is computed there.
  const lastUse = new Map<string, number>();
  reads.forEach((values, stage) => {
    for (const value of values) lastUse.set(value, stage);
  });
  for (const value of wanted) {
    if (!stageOf.has(value) && !index.inputs.has(value)) stageOf.set(value, last);
    lastUse.set(value, last + 1);
  }
  const computed = [...stageOf].map(([value, stage]) => ({ value, stage, until: lastUse.get(value) ?? stage }));
  return pieces.map((piece, k) => ({
    ...piece,
    inputs: [...(reads[k] ?? [])].filter((value) => stageOf.get(value) !== k),
    outputs: computed.filter(({ stage, until }) => stage === k && until > k).map(({ value }) => value),
    held: computed.filter(({ stage, until }) => stage <= k && until > k).map(({ value }) => value),
  }));
}

function stageOfValue(index: GraphIndex, pieces: readonly { readonly nodes: readonly number[] }[]) {
  const stageOf = new Map<string, number>();
  pieces.forEach(({ nodes }, stage) => {
    for (const node of nodes) for (const value of index.node(node).output) if (value !== '') stageOf.set(value, stage);
  });
  return stageOf;
}

/** What a node reads that is not the same in every run. */
function dynamicReads(index: GraphIndex, node: number, { constants }: Contraction): string[] {
  return readNames(index.node(node)).filter((value) => {
    const producer = index.producer(value);
    return producer === undefined ? index.inputs.has(value) : !constants.has(producer.node);
  });
}
