import { heldOutRows, type OutputMoments } from '@mhe/core';
import type { Tensor2D } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { MomentSum } from './moment-sum.js';
import { withOne } from './with-one.js';

/**
 * Sums up what new heads compute against what the original put out (core's `OutputMoments`), in parts to hold out. The
 * tensors stay the caller's.
 */
export class OutputSums {
  private readonly parts: { readonly features: MomentSum; readonly targets: MomentSum }[] = [];

  /** @param inputs - how many calibration inputs there are. */
  constructor(private readonly inputs: number) {}

  /**
   * @param input - number of the calibration input.
   * @param heads - the heads' outputs side by side, `[rows, features]`.
   * @param target - the original block's output, `[rows, outputDim]`.
   */
  async add(input: number, heads: Tensor2D, target: Tensor2D): Promise<void> {
    for (const { part, start, end } of heldOutRows(input, this.inputs, heads.shape[0])) {
      this.parts[part] ??= { features: new MomentSum(), targets: new MomentSum() };
      const { features, targets } = this.parts[part];
      const rows = tf.tidy(() => withOne(tf.slice2d(heads, [start, 0], [end - start, -1])));
      await targets.add(rows.clone(), tf.slice2d(target, [start, 0], [end - start, -1]));
      await features.add(rows);
    }
  }

  async total(): Promise<OutputMoments[]> {
    const totals: OutputMoments[] = [];
    for (const sums of this.parts) {
      const [features, targets] = [await sums.features.total(), await sums.targets.total()];
      if (features && targets) totals.push({ features, targets });
    }
    return totals;
  }

  /** Frees what is not yet summed up. */
  dispose(): void {
    for (const { features, targets } of this.parts) {
      features.dispose();
      targets.dispose();
    }
  }
}
