import * as node from 'onnxruntime-node';
import * as web from 'onnxruntime-web';
import type { OrtRuntime } from '../src/run/ort-runtime.js';

web.env.wasm.numThreads = 1;

/** ONNX Runtime's native library, and its WebAssembly build running in Node. */
export const runtimes: readonly (readonly [name: string, runtime: OrtRuntime])[] = [
  ['node', node],
  ['web', web],
];
