import { broadcastTo, reshape, type Tensor, type Tensor3D, util } from '@tensorflow/tfjs-core';
import { batchProduct } from './batch-product.js';

/**
 * NumPy `matmul` with broadcast leading axes, which tfjs' own product lacks: on wasm it reads past the smaller operand,
 * on cpu it pairs the wrong matrices, and its gradient keeps the broadcast shape.
 *
 * @throws RangeError when the shapes do not fit.
 */
export function broadcastMatMul(a: Tensor, b: Tensor): Tensor {
  const [rows, inner] = a.shape.slice(-2) as [number, number];
  const [innerOfB, cols] = b.shape.slice(-2) as [number, number];
  if (a.rank < 2 || b.rank < 2 || inner !== innerOfB) throw misfit(a, b);
  const rank = Math.max(a.rank, b.rank) - 2;
  const batchOfA = leadingAxes(a, rank);
  const batchOfB = leadingAxes(b, rank);
  const batch = batchOfA.map((size, axis) => broadcastSize(size, batchOfB[axis] as number, a, b));

  // Where `b` is one matrix for several of `a`, their rows form one taller matrix: a single product.
  const common = sharedFrom(batchOfA, batchOfB);
  const taller = batchOfA.slice(common);
  const left = reshape(a, [
    util.sizeFromShape(batchOfA.slice(0, common)),
    util.sizeFromShape(taller) * rows,
    inner,
  ]) as Tensor3D;
  if (batch.every((size, axis) => size === batchOfA[axis])) {
    const right = reshape(b, [util.sizeFromShape(batchOfB.slice(0, common)), inner, cols]) as Tensor3D;
    if (right.shape[0] === left.shape[0]) return reshape(batchProduct(left, right), [...batch, rows, cols]);
  }
  const count = util.sizeFromShape(batch);
  const wideA = reshape(broadcastTo(reshape(a, [...batchOfA, rows, inner]), [...batch, rows, inner]), [
    count,
    rows,
    inner,
  ]);
  const wideB = reshape(broadcastTo(reshape(b, [...batchOfB, inner, cols]), [...batch, inner, cols]), [
    count,
    inner,
    cols,
  ]);
  return reshape(batchProduct(wideA as Tensor3D, wideB as Tensor3D), [...batch, rows, cols]);
}

/** The first of the leading axes from which on `b` has only ones; before it, both must agree to be paired one by one. */
function sharedFrom(batchOfA: readonly number[], batchOfB: readonly number[]): number {
  let axis = batchOfB.length;
  while (axis > 0 && batchOfB[axis - 1] === 1) axis--;
  return batchOfB.slice(0, axis).every((size, i) => size === batchOfA[i]) ? axis : batchOfB.length;
}

function leadingAxes(a: Tensor, rank: number): number[] {
  const own = a.shape.slice(0, -2);
  return [...new Array<number>(rank - own.length).fill(1), ...own];
}

function broadcastSize(size: number, other: number, a: Tensor, b: Tensor): number {
  if (size !== other && size !== 1 && other !== 1) throw misfit(a, b);
  return Math.max(size, other);
}

function misfit(a: Tensor, b: Tensor): RangeError {
  return new RangeError(`matMul: cannot multiply [${a.shape.join(', ')}] by [${b.shape.join(', ')}]`);
}
