import type { Matrix } from '@mhe/core';
import type { Tensor2D } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';

/** Rows are gathered until there are this many: one product of them is faster than many small ones. */
const ROWS = 4096;

/**
 * A sum of products `left^T right` over rows that come in parts. The backend multiplies, in float32; the sum of the
 * parts is kept in float64.
 */
export class MomentSum {
  private left: Tensor2D[] = [];
  private right: Tensor2D[] = [];
  private rows = 0;
  private sum: Matrix | undefined;

  /**
   * Takes rows; it disposes of them.
   *
   * @param left - `[rows, columns]`.
   * @param right - `[rows, others]`; absent: the left ones, for a second moment.
   */
  async add(left: Tensor2D, right?: Tensor2D): Promise<void> {
    this.left.push(tf.keep(left));
    if (right) this.right.push(tf.keep(right));
    this.rows += left.shape[0];
    if (this.rows >= ROWS) await this.flush();
  }

  /** The sum of everything so far; `undefined` where nothing was added. */
  async total(): Promise<Matrix | undefined> {
    await this.flush();
    return this.sum;
  }

  /** Frees what is not yet summed up. */
  dispose(): void {
    tf.dispose([...this.left, ...this.right]);
    this.left = [];
    this.right = [];
    this.rows = 0;
  }

  private async flush(): Promise<void> {
    if (this.left.length === 0) return;
    const product = tf.tidy(() => {
      const left = tf.concat2d(this.left, 0);
      const right = this.right.length > 0 ? tf.concat2d(this.right, 0) : left;
      // Products with a transposed operand leave the fast kernel of wasm.
      return tf.matMul<Tensor2D>(tf.transpose(left), right);
    });
    this.dispose();
    const numbers = await product.data();
    const [rows, cols] = product.shape;
    product.dispose();
    this.sum ??= { rows, cols, data: new Float64Array(rows * cols) };
    const { data } = this.sum;
    for (let i = 0; i < data.length; i++) data[i] = (data[i] as number) + (numbers[i] as number);
  }
}
