import type { AttentionBlock } from '@mhe/core';
import { readNames } from '../graph/captures.js';
import type { GraphIndex } from '../graph/graph-index.js';
import type { Stage } from '../graph/plan-stages.js';
import { insideNames } from './block-nodes.js';

/** A stage of the model and the block that ends it, with the values that pass between them. */
export interface BlockStage {
  readonly stage: Stage;
  readonly block: AttentionBlock;
  /** What the block's nodes make, its output left out. */
  readonly inside: ReadonlySet<string>;
  /** What the block's nodes read that is neither constant nor their own. */
  readonly blockInputs: readonly string[];
  /** Of those, what the stage computes before the block. */
  readonly prepared: readonly string[];
  /** What the stage hands on that is computed before the block, and what the block computes. */
  readonly besides: readonly string[];
  readonly fromBlock: readonly string[];
}

/** Takes a stage apart. */
export function blockStage(
  index: GraphIndex,
  stage: Stage,
  block: AttentionBlock,
  nodes: readonly number[],
): BlockStage {
  const own = new Set(nodes.flatMap((node) => index.node(node).output));
  const dynamic = new Set([...stage.inputs, ...stage.nodes.flatMap((node) => index.node(node).output)]);
  const reads = new Set(nodes.flatMap((node) => readNames(index.node(node))));
  const blockInputs = [...reads].filter((value) => dynamic.has(value) && !own.has(value));
  const given = new Set(stage.inputs);
  return {
    stage,
    block,
    inside: insideNames(index, block, nodes),
    blockInputs,
    prepared: blockInputs.filter((value) => !given.has(value)),
    besides: stage.outputs.filter((value) => !own.has(value)),
    fromBlock: stage.outputs.filter((value) => own.has(value)),
  };
}
