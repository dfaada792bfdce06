/** A dense matrix of float64 numbers, row-major: element `(r, c)` is `data[r * cols + c]`. */
export interface Matrix {
  readonly rows: number;
  readonly cols: number;
  readonly data: Float64Array;
}
