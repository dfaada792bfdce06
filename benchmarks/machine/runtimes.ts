import type { OrtRuntime, OrtSession, OrtTensor } from '@mhe/onnx';
import * as node from 'onnxruntime-node';
import * as web from 'onnxruntime-web';

/** One ONNX Runtime, held to one thread, so that times compare. */
export interface Runtime {
  readonly name: 'Node' | 'wasm';
  open(model: Uint8Array): Promise<OrtSession>;
  tensor(type: 'float32' | 'int64', data: Float32Array | BigInt64Array, dims: readonly number[]): OrtTensor;
}

web.env.wasm.numThreads = 1;

const native: OrtRuntime = node;
const wasm: OrtRuntime = web;

/** The native library for Node, and ONNX Runtime Web's WebAssembly as a browser runs it, here in Node. */
export const runtimes: readonly Runtime[] = [
  {
    name: 'Node',
    open: (model) => native.InferenceSession.create(model, { intraOpNumThreads: 1, interOpNumThreads: 1 }),
    tensor: (type, data, dims) => tensorOf(native, type, data, dims),
  },
  {
    name: 'wasm',
    open: (model) => wasm.InferenceSession.create(model, { executionProviders: ['wasm'] }),
    tensor: (type, data, dims) => tensorOf(wasm, type, data, dims),
  },
];

function tensorOf(runtime: OrtRuntime, type: string, data: unknown, dims: readonly number[]): OrtTensor {
  const Tensor = runtime.Tensor as new (type: string, data: unknown, dims: readonly number[]) => OrtTensor;
  return new Tensor(type, data, dims);
}
