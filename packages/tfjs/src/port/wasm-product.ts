import { add, concat, matMul, type Tensor3D, tensor3d, transpose } from '@tensorflow/tfjs-core';
import type { Transposed } from './batch-product.js';

/**
 * The wasm backend (tfjs 4.22) hands a product to its fast library, XNNPACK, only where there is one matrix on each side
 * and neither is transposed; its other way is ten times slower. So operands are transposed before, and batches of products
 * that are worth it are taken apart. No gradient goes through.
 */
export function wasmProduct(a: Tensor3D, b: Tensor3D, transposed: Transposed): Tensor3D {
  if (transposed === 'right') return plainProduct(a, swapAxes(b));
  if (transposed === 'none') return plainProduct(a, b);
  // `a^T b` is `(b^T a)^T`: what is smaller is transposed.
  const [batch, , rows] = a.shape;
  const outputSize = batch * rows * b.shape[2];
  return b.size + outputSize < a.size ? swapAxes(plainProduct(swapAxes(b), a)) : plainProduct(swapAxes(a), b);
}

function swapAxes(a: Tensor3D): Tensor3D {
  return transpose(a, [0, 2, 1]);
}

function plainProduct(a: Tensor3D, b: Tensor3D): Tensor3D {
  const [batch, rows, inner] = a.shape;
  if (batch === 1) return matrixProduct(a, b);
  if (rows * inner * b.shape[2] < worthTakingApart) return matMul(a, b);
  const rights = matrices(b);
  return concat<Tensor3D>(matrices(a).map((left, i) => matrixProduct(left, rights[i] as Tensor3D)));
}

/** Multiply-adds of one product from which taking a batch apart pays: measured, copies and calls included. */
const worthTakingApart = 32_768;

/** The matrices of a batch. Read and made anew: every slice of a wasm tensor copies the whole tensor. */
function matrices(a: Tensor3D): Tensor3D[] {
  const [batch, rows, cols] = a.shape;
  const values = a.dataSync();
  const size = rows * cols;
  return Array.from({ length: batch }, (_, i) => tensor3d(values.subarray(i * size, (i + 1) * size), [1, rows, cols]));
}

/** The shape that the data of a right operand had, by the identity of the data. */
const rightShapes = new WeakMap<object, string>();

/**
 * The backend remembers what it prepared for a right operand by its data, not by its shape, and reads out of bounds
 * where one array serves as two matrices. Such data is copied.
 */
function matrixProduct(a: Tensor3D, b: Tensor3D): Tensor3D {
  const shape = b.shape.join();
  const known = rightShapes.get(b.dataId);
  if (known === undefined) rightShapes.set(b.dataId, shape);
  const right = known === undefined || known === shape ? b : (add(b, 0) as Tensor3D);
  return matMul(a, right);
}
