import { HeldOutSums, type OutputMoments } from '@mhe/core';
import type { Tensor2D } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { MomentSum } from './moment-sum.js';
import { withOne } from './with-one.js';

/**
 * Sums up what new heads compute against what the original put out (core's `OutputMoments`), in parts to hold out. The
 * tensors stay the caller's.
 */
export class OutputSums {
  private readonly sums: HeldOutSums<MomentSum>;

  /** @param inputs - how many calibration inputs there are. */
  constructor(inputs: number) {
    this.sums = new HeldOutSums(inputs, () => new MomentSum());
  }

  /**
   * @param input - number of the calibration input.
   * @param heads - the heads' outputs side by side, `[rows, features]`.
   * @param target - the original block's output, `[rows, outputDim]`.
   */
  async add(input: number, heads: Tensor2D, target: Tensor2D): Promise<void> {
    for (const { features, targets, start, end } of this.sums.sumsOf(input, heads.shape[0])) {
      const rows = tf.tidy(() => withOne(tf.slice2d(heads, [start, 0], [end - start, -1])));
      await targets.add(rows.clone(), tf.slice2d(target, [start, 0], [end - start, -1]));
      await features.add(rows);
    }
  }

  total(): Promise<OutputMoments[]> {
    return this.sums.total();
  }

  /** Frees what is not yet summed up. */
  dispose(): void {
    for (const { features, targets } of this.sums.parts) {
      features.dispose();
      targets.dispose();
    }
  }
}
