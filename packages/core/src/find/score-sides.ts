import type { Inquiry } from './inquiry.js';
import type { PlacedStep, ScoreStep } from './scores.js';
import { carry, sidesOf } from './scores.js';
import type { MaskKind } from './site.js';
import { varies } from './varies.js';

/** What the steps before the softmax add, and whether any of it depends on the head. */
export function scoreSides(inquiry: Inquiry, before: readonly PlacedStep[], dims: readonly number[], head: Int32Array) {
  const mask = new Set<MaskKind>();
  let sameForAllHeads = true;
  for (const [at, { step, output }] of before.entries()) {
    const sides = sidesOf(step);
    if (sides.length === 0) continue;
    const reached = carry(inquiry, before.slice(0, at + 1), { dims, codes: head });
    const outDims = inquiry.dims(output);
    const perHead = sides.some((side) => {
      const sideDims = inquiry.dims(side);
      return outDims.some((_, axis) => {
        const size = sideDims[axis - outDims.length + sideDims.length] ?? 1;
        return size > 1 && varies(reached.codes, outDims, axis);
      });
    });
    if (perHead) sameForAllHeads = false;
    mask.add(kindOf(step, perHead));
  }
  return { mask: mask.size > 0 ? [...mask] : (['none'] as const), sameForAllHeads };
}

function kindOf(step: ScoreStep, perHead: boolean): MaskKind {
  if (step.kind === 'multiply') return perHead ? 'per-head scale' : 'boolean';
  if (perHead) return 'per-head bias';
  return step.kind === 'mask' ? 'boolean' : 'additive';
}
