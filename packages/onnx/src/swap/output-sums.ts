import { HeldOutSums, type OutputMoments } from '@mhe/core';
import type { HostTensor } from '../run/host-tensor.js';
import type { Session } from '../run/session.js';
import { MomentSum } from './moment-sum.js';

/** Sums up what new heads compute against what the original put out (core's `OutputMoments`), in parts to hold out. */
export class OutputSums {
  private readonly sums: HeldOutSums<MomentSum>;

  /**
   * @param product - of `productModel`.
   * @param inputs - how many calibration inputs there are.
   */
  constructor(product: Session, inputs: number) {
    this.sums = new HeldOutSums(inputs, () => new MomentSum(product));
  }

  /**
   * Takes the rows of one run.
   *
   * @param input - number of its calibration input.
   * @param heads - the heads' outputs side by side, with a 1 after them: `[rows, features + 1]`, float32.
   * @param target - the original block's output, `[rows, outputDim]`, float32.
   */
  async add(input: number, heads: HostTensor, target: HostTensor): Promise<void> {
    for (const { features, targets, start, end } of this.sums.sumsOf(input, heads.dims[0] as number)) {
      const rows = rowsOf(heads, start, end);
      await features.add(rows);
      await targets.add(rows, rowsOf(target, start, end));
    }
  }

  total(): Promise<OutputMoments[]> {
    return this.sums.total();
  }
}

function rowsOf({ dims, data }: HostTensor, start: number, end: number): HostTensor {
  const columns = dims[1] as number;
  const rows = (data as Float32Array).subarray(start * columns, end * columns);
  return { dtype: 'float32', dims: [end - start, columns], data: rows };
}
