import type { OutputMoments } from '@mhe/core';
import type { Tensor2D } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { MomentSum } from './moment-sum.js';
import { withOne } from './with-one.js';

/** Sums up what new heads compute against what the original put out (core's `OutputMoments`). The tensors stay the caller's. */
export class OutputSums {
  private readonly features = new MomentSum();
  private readonly targets = new MomentSum();

  /**
   * @param heads - the heads' outputs side by side, `[rows, features]`.
   * @param target - the original block's output, `[rows, outputDim]`.
   */
  async add(heads: Tensor2D, target: Tensor2D): Promise<void> {
    const rows = tf.tidy(() => withOne(heads));
    await this.targets.add(rows.clone(), target.clone());
    await this.features.add(rows);
  }

  async total(): Promise<OutputMoments | undefined> {
    const features = await this.features.total();
    const targets = await this.targets.total();
    return features && targets && { features, targets };
  }

  dispose(): void {
    this.features.dispose();
    this.targets.dispose();
  }
}
