import {
  add,
  concat,
  customGrad,
  type GradSaveFunc,
  getBackend,
  matMul,
  split,
  type Tensor,
  type Tensor3D,
  transpose,
} from '@tensorflow/tfjs-core';

/**
 * `[batch, rows, inner]` times `[batch, inner, cols]`, on the engine's fastest way, in the gradient too: tfjs'
 * own gradient of a product asks for transposed operands, which on wasm costs three to ten times a plain product.
 */
export function batchProduct(a: Tensor3D, b: Tensor3D): Tensor3D {
  return customGrad((...args) => {
    const [left, right, save] = args as unknown as [Tensor3D, Tensor3D, GradSaveFunc];
    save([left, right]);
    return { value: product(left, right, 'none'), gradFunc: productGradients };
  })(a, b) as Tensor3D;
}

function productGradients(dy: Tensor, saved: Tensor[]): Tensor[] {
  const [a, b] = saved as [Tensor3D, Tensor3D];
  return [product(dy as Tensor3D, b, 'right'), product(a, dy as Tensor3D, 'left')];
}

/** Which operand has its last two axes exchanged before the product. */
type Transposed = 'none' | 'left' | 'right';

function product(a: Tensor3D, b: Tensor3D, transposed: Transposed): Tensor3D {
  if (getBackend() !== 'wasm') return matMul(a, b, transposed === 'left', transposed === 'right');
  return wasmProduct(transposed === 'left' ? swapAxes(a) : a, transposed === 'right' ? swapAxes(b) : b);
}

function swapAxes(a: Tensor3D): Tensor3D {
  return transpose(a, [0, 2, 1]);
}

/**
 * The wasm backend hands a product to its fast library (XNNPACK) only where there is one matrix on each side and
 * neither is transposed. So batches of products that are worth it are taken apart.
 */
function wasmProduct(a: Tensor3D, b: Tensor3D): Tensor3D {
  const [batch, rows, inner] = a.shape;
  if (batch === 1) return wasmMatrixProduct(a, b);
  if (rows * inner * b.shape[2] < worthTakingApart) return matMul(a, b);
  const lefts = split(a, batch);
  const rights = split(b, batch);
  return concat(lefts.map((left, i) => wasmMatrixProduct(left as Tensor3D, rights[i] as Tensor3D)));
}

/** Multiply-adds of one product from which taking a batch apart pays: measured, with copies and calls. */
const worthTakingApart = 65_536;

/** The shape that the data of a right operand had, by the identity of the data. */
const rightShapes = new WeakMap<object, string>();

/**
 * The backend remembers what it prepared for a right operand by its data, not by its shape, and reads out of bounds
 * where one array serves as two matrices (tfjs 4.22). Such data is copied.
 */
function wasmMatrixProduct(a: Tensor3D, b: Tensor3D): Tensor3D {
  const shape = b.shape.join();
  const known = rightShapes.get(b.dataId);
  if (known === undefined) rightShapes.set(b.dataId, shape);
  const right = known === undefined || known === shape ? b : (add(b, 0) as Tensor3D);
  return matMul(a, right);
}
