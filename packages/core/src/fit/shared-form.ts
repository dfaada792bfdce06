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

/** The squared length of each column. */
export function columnEnergies({ cols, data }: Matrix): Float64Array {
  const out = new Float64Array(cols);
  for (let at = 0; at < data.length; at++) out[at % cols] = (out[at % cols] as number) + (data[at] as number) ** 2;
  return out;
}

/** Multiplies each column by its factor. */
export function scaleColumns(matrix: Matrix, factors: Float64Array): Matrix {
  return { ...matrix, data: matrix.data.map((x, at) => x * (factors[at % matrix.cols] as number)) };
}
