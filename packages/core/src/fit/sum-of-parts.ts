import { addScaled } from './elementwise.js';
import type { OutputMoments } from './output.js';

/** The moments of all parts together. */
export function sumOfParts(parts: readonly OutputMoments[]): OutputMoments {
  return parts.reduce((sum, part) => ({
    features: addScaled(sum.features, part.features, 1),
    targets: addScaled(sum.targets, part.targets, 1),
  }));
}
