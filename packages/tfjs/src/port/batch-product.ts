import { customGrad, type GradSaveFunc, getBackend, matMul, type Tensor, type Tensor3D } from '@tensorflow/tfjs-core';
import { wasmProduct } from './wasm-product.js';

/** `[batch, rows, inner]` times `[batch, inner, cols]`, on the backend's fastest way, in the gradient too. */
export function batchProduct(a: Tensor3D, b: Tensor3D): Tensor3D {
  return customGrad((...args) => {
    const [left, right, save] = args as unknown as [Tensor3D, Tensor3D, GradSaveFunc];
    save([left, right]);
    return { value: product(left, right, 'none'), gradFunc: productGradients };
  })(a, b) as Tensor3D;
}

/** Which operand has its last two axes exchanged before the product. */
export type Transposed = 'none' | 'left' | 'right';

function productGradients(dy: Tensor, saved: Tensor[]): Tensor[] {
  const [a, b] = saved as [Tensor3D, Tensor3D];
  return [product(dy as Tensor3D, b, 'right'), product(a, dy as Tensor3D, 'left')];
}

function product(a: Tensor3D, b: Tensor3D, transposed: Transposed): Tensor3D {
  if (getBackend() === 'wasm') return wasmProduct(a, b, transposed);
  return matMul(a, b, transposed === 'left', transposed === 'right');
}
