import type { Embedding, FoldedMheWeights, Projection } from '../attention/weights.js';
import type { AttentionBlock } from '../find/block.js';
import { chooseForm } from './choose-form.js';
import type { AttentionForm } from './options.js';

/** What a block becomes, its form decided. */
export interface BlockReplacement {
  readonly weights: FoldedMheWeights;
  readonly embedding: Embedding;
  readonly form: AttentionForm;
}

/**
 * The identity swap of a block: the replacement that computes what it computes, in the plainest form that it can take.
 *
 * @param weights - a group for every head, all weights the block's own.
 * @throws FormError where it can take no form.
 */
export function identityReplacement(block: AttentionBlock, weights: FoldedMheWeights): BlockReplacement {
  // Without a bias for each head no form asks for the range of the keys.
  return { weights, embedding: 'mul', form: chooseForm(block, weights, 'auto', true, []).form };
}

/** Whether an output projection is the block's own, number by number: its nodes can stay as they are. */
export function keepsOutput(block: AttentionBlock, output: Projection): boolean {
  const own = block.ownOutput();
  const same = (a: Float64Array, b: Float64Array) => a.length === b.length && a.every((x, i) => x === b[i]);
  if (!same(own.weight.data, output.weight.data)) return false;
  return own.bias && output.bias ? same(own.bias, output.bias) : own.bias === output.bias;
}
