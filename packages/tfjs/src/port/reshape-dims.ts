/** ONNX `Reshape` dimensions in tfjs terms: 0 copies the input's at that place; one -1 stays for tfjs to infer. */
export function copiedDims(shape: readonly number[], dims: readonly number[]): number[] {
  return dims.map((dim, axis) => (dim === 0 ? (shape[axis] as number) : dim));
}
