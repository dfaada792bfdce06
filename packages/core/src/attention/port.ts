/**
 * The tensor operations that the attention forms are written in. Every backend interprets them: core's float64
 * arrays compute, tfjs computes and differentiates, ONNX emits graph nodes. Because a graph's sizes may be known
 * at run time only, no operation asks for a shape: `reshape` copies and infers, everything else broadcasts.
 *
 * @typeParam T - the backend's tensor.
 */
export interface TensorPort<T> {
  /** A constant, row-major, of the given dimensions. */
  constant(values: Float64Array, dims: readonly number[]): T;
  /** Elementwise, NumPy broadcasting; so are `sub`, `mul` and `div`. */
  add(a: T, b: T): T;
  sub(a: T, b: T): T;
  mul(a: T, b: T): T;
  div(a: T, b: T): T;
  exp(a: T): T;
  /** Elementwise. */
  sqrt(a: T): T;
  /** Elementwise: `a` where `condition` holds, `b` elsewhere, all three broadcast. `condition` is a truth tensor. */
  where(condition: T, a: T, b: T): T;
  /** Elementwise: the truth tensor of not-a-number. Truth tensors are the backend's own; here only `where` reads them. */
  isNaN(a: T): T;
  /** NumPy `matmul`: product over the last axis of `a` and the last but one of `b`, leading axes broadcast. */
  matMul(a: T, b: T): T;
  /** Over the last axis. */
  softmax(a: T): T;
  /** Maximum over `axes` (negative counts from the end), kept as axes of size 1. */
  max(a: T, axes: readonly number[]): T;
  /** Mean over `axes`, kept as axes of size 1. */
  mean(a: T, axes: readonly number[]): T;
  /** As ONNX `Reshape`: 0 copies the input's dimension at that place, -1 (once) is inferred. */
  reshape(a: T, dims: readonly number[]): T;
  /** Inserts axes of size 1 at these places of the result. */
  unsqueeze(a: T, axes: readonly number[]): T;
  transpose(a: T, permutation: readonly number[]): T;
  concat(parts: readonly T[], axis: number): T;
  /** Cuts an axis into consecutive parts of the given sizes. */
  split(a: T, sizes: readonly number[], axis: number): T[];
  /** Picks positions of an axis: the result has `indices.length` of them. */
  gather(a: T, indices: readonly number[], axis: number): T;
}
