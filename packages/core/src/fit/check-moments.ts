import type { AttentionWeights } from '../attention/weights.js';
import type { FitMoments, MomentName } from './moments.js';

/**
 * Makes sure that the moments belong to these weights and are usable.
 *
 * @throws RangeError naming the moment.
 */
export function checkMoments({ query, key, value }: AttentionWeights, moments: FitMoments): void {
  const sizes: Record<MomentName, number> = {
    query: query.weight.rows + 1,
    key: key.weight.rows,
    keyInput: key.weight.rows + 1,
    attended: value.weight.rows + 1,
  };
  for (const [name, size] of Object.entries(sizes) as [MomentName, number][]) {
    const moment = moments[name];
    if (!moment) continue;
    const { rows, cols, data } = moment;
    if (rows !== size || cols !== size || data.length !== size * size) {
      throw new RangeError(
        `moments: ${name} must be ${size} x ${size}, got ${rows} x ${cols} over ${data.length} numbers`,
      );
    }
    if (!data.every(Number.isFinite)) {
      throw new RangeError(`moments: ${name} holds numbers that are not finite; check the calibration inputs`);
    }
    if (name !== 'key' && !((data[size * size - 1] as number) > 0)) {
      throw new RangeError(
        `moments: the last diagonal element of ${name} must count its positions, got ${data[size * size - 1]}`,
      );
    }
  }
}
