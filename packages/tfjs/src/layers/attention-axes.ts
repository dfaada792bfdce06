import { reshape, type Tensor, type Tensor3D, transpose } from '@tensorflow/tfjs-core';

/**
 * Attention over several axes, or over some of several, as attention over one. Inputs are `[batch, ...axes, features]`;
 * those of `attentionAxes` become the sequence, the others join the batch.
 */
export interface AttentionAxes {
  /** `[batch * others, sequence, features]`. */
  fold(input: Tensor): Tensor3D;
  /** Of an output `[batch * others, sequence, features]` of the query: the axes of the query again. */
  unfold(output: Tensor, query: Tensor): Tensor;
  /** Dimensions of the probabilities, `[batch, ...others, heads, ...query's, ...key's]`. */
  scoreDims<Size extends number | null>(query: readonly Size[], key: readonly Size[], numHeads: Size): Size[];
}

/**
 * @param chosen - axes of the inputs that are attended over. Default: all between the batch and the features.
 * @throws Error when an axis is none of those.
 */
export function attentionAxes(layer: string, rank: number, chosen: readonly number[] | null): AttentionAxes {
  const all = Array.from({ length: rank - 2 }, (_, i) => i + 1);
  const axes = chosen ? chosen.map((axis) => (axis < 0 ? axis + rank : axis)) : all;
  if (rank < 3)
    throw new Error(`${layer}: expected inputs of at least three axes, [batch, length, features], got ${rank}`);
  if (axes.length === 0 || axes.some((axis) => !all.includes(axis))) {
    throw new Error(
      `${layer}: attentionAxes must be among ${all.join(', ')} for inputs of ${rank} axes, got [${chosen?.join(', ')}]`,
    );
  }
  const others = all.filter((axis) => !axes.includes(axis));
  const order = [0, ...others, ...axes, rank - 1];
  const inOrder = order.every((axis, i) => axis === i);
  const sizes = (shape: readonly number[], which: readonly number[]) => which.map((axis) => shape[axis] as number);
  const size = (shape: readonly number[], which: readonly number[]) => sizes(shape, which).reduce((a, b) => a * b, 1);
  return {
    fold(input) {
      if (rank === 3) return input as Tensor3D;
      const ordered = inOrder ? input : transpose(input, order);
      const { shape } = input;
      return reshape(ordered, [size(shape, [0, ...others]), size(shape, axes), shape[rank - 1] as number]);
    },
    unfold(output, query) {
      if (rank === 3) return output;
      const features = output.shape.at(-1) as number;
      const ordered = reshape(output, [...sizes(query.shape, order.slice(0, -1)), features]);
      return inOrder
        ? ordered
        : transpose(
            ordered,
            order.map((_, axis) => order.indexOf(axis)),
          );
    },
    scoreDims(query, key, numHeads) {
      const of = (shape: typeof query, which: readonly number[]) =>
        which.map((axis) => shape[axis] as (typeof shape)[number]);
      return [...of(query, [0, ...others]), numHeads, ...of(query, axes), ...of(key, axes)];
    },
  };
}
