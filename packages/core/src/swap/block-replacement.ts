import { identityMhe } from '../attention/identity.js';
import type { Embedding, FoldedMheWeights, Projection } from '../attention/weights.js';
import type { AttentionBlock } from '../find/block.js';
import type { AttentionForm } from './options.js';

/** What a block becomes, its form decided. */
export interface BlockReplacement {
  readonly weights: FoldedMheWeights;
  readonly embedding: Embedding;
  readonly form: AttentionForm;
}

/** The replacement that computes what the block computes: a group for every head, all weights its own. */
export function identityReplacement(block: AttentionBlock, form: 'folded' | 'widened'): BlockReplacement {
  return { weights: identityMhe(block.weights()), embedding: 'mul', form };
}

/** Whether an output projection is the block's own, number by number: its nodes can stay as they are. */
export function keepsOutput(block: AttentionBlock, output: Projection): boolean {
  const own = block.weights().output;
  const same = (a: Float64Array, b: Float64Array) => a.length === b.length && a.every((x, i) => x === b[i]);
  if (!same(own.weight.data, output.weight.data)) return false;
  return own.bias && output.bias ? same(own.bias, output.bias) : own.bias === output.bias;
}
