import type { TensorPort } from './port.js';
import { project } from './project.js';
import type { AttentionWeights, FoldedMheWeights, MheWeights } from './weights.js';

/** Puts the heads side by side and applies the output projection: from `[batch, numHeads, length, valueHeadDim]`. */
export function mergeHeads<T>(
  port: TensorPort<T>,
  weights: AttentionWeights | MheWeights | FoldedMheWeights,
  context: T,
): T {
  const { numHeads, valueHeadDim, output } = weights;
  const merged = port.reshape(port.transpose(context, [0, 2, 1, 3]), [0, 0, numHeads * valueHeadDim]);
  return project(port, merged, output);
}
