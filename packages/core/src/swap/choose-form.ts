import { factorisedRangeLimit, measureKeyBiasRange } from '../attention/factorised-range.js';
import { FormError } from '../attention/form-error.js';
import { groupCount } from '../attention/head-groups.js';
import type { FoldedMheWeights } from '../attention/weights.js';
import type { AttentionBlock } from '../find/block.js';
import type { Matrix } from '../float64/matrix.js';
import { canonicalObstacle, factorisedBlockObstacle, widenedObstacle } from './form-obstacles.js';
import type { AttentionForm } from './options.js';

/** A form and why it was taken. */
export interface ChosenForm {
  readonly form: AttentionForm;
  readonly reason: string;
}

/** The range seen on the calibration inputs may be passed by others; this many times it has to be safe. */
const RANGE_MARGIN = 2;

/**
 * Decides the form of a block: the one asked for, or the fastest that the block can take (design, section 3: MHE-ADD
 * factorised, everything else folded).
 *
 * @param keys - key streams of calibration inputs, `[keys, keyDim]` each.
 * @throws FormError where the form asked for cannot express the block.
 */
export function chooseForm(
  block: AttentionBlock,
  weights: FoldedMheWeights,
  asked: 'auto' | AttentionForm,
  isFloat32: boolean,
  keys: Iterable<Matrix>,
): ChosenForm {
  const obstacles: Record<AttentionForm, () => string | null> = {
    folded: () => canonicalObstacle(block),
    direct: () => canonicalObstacle(block),
    factorised: () =>
      canonicalObstacle(block) ?? factorisedBlockObstacle(block) ?? weightsObstacle(weights, isFloat32, keys),
    widened: () => widenedObstacle(block),
  };
  if (asked !== 'auto') {
    const obstacle = obstacles[asked]();
    if (obstacle !== null) throw new FormError(asked, obstacle);
    return { form: asked, reason: 'it was asked for' };
  }
  const merged = obstacles.folded();
  if (merged !== null) {
    const obstacle = obstacles.widened();
    if (obstacle !== null) throw new FormError('folded', `${merged}; widened: ${obstacle}`);
    return { form: 'widened', reason: merged };
  }
  if (!weights.queryBias || weights.queryGain) return { form: 'folded', reason: 'the fastest for this embedding' };
  if (groupCount(weights.groups.queryKey) > 1) return { form: 'folded', reason: 'several query-key groups' };
  const obstacle = obstacles.factorised();
  return obstacle === null
    ? { form: 'factorised', reason: 'the fastest for MHE-ADD' }
    : { form: 'folded', reason: `not factorised: ${obstacle}` };
}

function weightsObstacle(weights: FoldedMheWeights, isFloat32: boolean, keys: Iterable<Matrix>): string | null {
  if (weights.queryGain?.data.some((gain) => gain !== 1)) return 'its queries have a gain per head (MHE-MUL)';
  if (!isFloat32) return 'it computes in less than float32, which is not enough for the exponentials';
  const range = measureKeyBiasRange(weights, keys) * RANGE_MARGIN;
  const limit = factorisedRangeLimit('float32');
  return range <= limit
    ? null
    : `its key biases may spread over ${range.toFixed(0)}, and float32 is safe up to ${limit.toFixed(0)}`;
}
