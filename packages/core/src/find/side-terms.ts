import type { Inquiry } from './inquiry.js';
import { sources } from './inquiry.js';
import { Refusal } from './refusal.js';
import type { PlacedStep } from './scores.js';
import { sidesOf } from './scores.js';
import type { ViewNode } from './view.js';

/**
 * Refuses scores with a second term that is computed from the queries, keys or values themselves (distances, terms of
 * relative positions): a swap would change the first term and not the second.
 *
 * @param projected - nodes from the projections to the products.
 */
export function refuseSideTerms(inquiry: Inquiry, steps: readonly PlacedStep[], projected: readonly ViewNode[]): void {
  const own = new Set(projected);
  for (const { step, node } of steps) {
    const seen = new Set<string>();
    const open = [...sidesOf(step)];
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      const producer = inquiry.producer(at);
      if (!producer || seen.has(at) || inquiry.isFixed(at)) continue;
      seen.add(at);
      if (own.has(producer)) {
        throw new Refusal(`another term of its scores is computed from ${producer.source}`, sources(node, producer));
      }
      // A size tells nothing of what the queries hold.
      if (producer.operator.kind !== 'shape' && producer.operator.kind !== 'size') open.push(...producer.inputs);
    }
  }
}
