import type { Inquiry } from './inquiry.js';
import { differsByHead } from './per-head.js';
import { over } from './product-positions.js';
import type { QueryKeyProduct } from './query-key.js';
import type { PlacedStep, ScoreStep } from './scores.js';
import { carry, sidesOf } from './scores.js';
import type { MaskKind } from './site.js';
import { varies } from './varies.js';

/** What the steps before the softmax add, and whether any of it has an axis of heads. */
export function scoreSides(inquiry: Inquiry, before: readonly PlacedStep[], scores: QueryKeyProduct) {
  const mask = new Set<MaskKind>();
  let sameForAllHeads = true;
  const rest = restOfScores(scores);
  for (const [at, { step, output }] of before.entries()) {
    const sides = sidesOf(step);
    if (sides.length === 0) continue;
    const reached = (codes: Int32Array) => carry(inquiry, before.slice(0, at + 1), { dims: scores.dims, codes }).codes;
    const dims = inquiry.dims(output);
    const head = reached(scores.codes.head);
    const spread = sides.filter((side) => {
      const own = inquiry.dims(side);
      return dims.some((_, axis) => (own[axis - dims.length + own.length] ?? 1) > 1 && varies(head, dims, axis));
    });
    if (spread.length > 0) sameForAllHeads = false;
    const placed = { dims, rest: spread.length > 0 ? reached(rest) : rest };
    mask.add(
      kindOf(
        step,
        spread.some((side) => differsByHead(inquiry, side, placed)),
      ),
    );
  }
  return { mask: mask.size > 0 ? [...mask] : (['none'] as const), sameForAllHeads };
}

/** A number for the batch, the query and the key of every score, the same for all heads. */
function restOfScores({ batch, labels, dims, heads, codes, queryLabel, keyLabel }: QueryKeyProduct): Int32Array {
  const counts = new Array<number>(heads.numHeads).fill(0);
  const entry = heads.ofBatch.map((head) => {
    const count = counts[head] as number;
    counts[head] = count + 1;
    return count;
  });
  const [queries, keys] = [queryLabel, keyLabel].map((label) => dims[labels.indexOf(label)] as number) as [
    number,
    number,
  ];
  return over(labels, dims, batch).map(
    (position, i) =>
      ((entry[position] as number) * queries + (codes.query[i] as number)) * keys + (codes.key[i] as number),
  );
}

function kindOf(step: ScoreStep, perHead: boolean): MaskKind {
  if (step.kind === 'multiply') return perHead ? 'per-head scale' : 'boolean';
  if (perHead) return 'per-head bias';
  return step.kind === 'mask' ? 'boolean' : 'additive';
}
