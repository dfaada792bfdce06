import type { Matrix } from '../float64/matrix.js';

/** What heads share, with what tells them apart: `M_h` is about `query diag(gain[h]) key^T`. */
export interface SharedForm {
  /** `[queryRows, headDim]`. */
  readonly query: Matrix;
  /** `[keyRows, headDim]`. */
  readonly key: Matrix;
  /** `[numHeads, headDim]`. */
  readonly gain: Matrix;
}
