import type { InferenceSession, Tensor } from 'onnxruntime-node';
import * as node from 'onnxruntime-node';
import * as web from 'onnxruntime-web';

/** One ONNX Runtime, with the options that make its times comparable: one thread. */
export interface Runtime {
  readonly name: string;
  open(model: Uint8Array): Promise<InferenceSession>;
  tensor(data: Float32Array, dims: readonly number[]): Tensor;
}

/** The native library for Node. */
export const nodeRuntime: Runtime = {
  name: 'Node',
  open: (model) => node.InferenceSession.create(model, { intraOpNumThreads: 1, interOpNumThreads: 1 }),
  tensor: (data, dims) => new node.Tensor('float32', data, dims),
};

web.env.wasm.numThreads = 1;

/** ONNX Runtime Web's WebAssembly, as a browser runs it. */
export const webRuntime: Runtime = {
  name: 'Web (wasm)',
  open: (model) => web.InferenceSession.create(model, { executionProviders: ['wasm'] }),
  tensor: (data, dims) => new web.Tensor('float32', data, dims),
};
