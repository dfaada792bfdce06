import { createRequire } from 'node:module';
import { dirname, sep } from 'node:path';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import { enableProdMode, setBackend } from '@tensorflow/tfjs-core';

/** Makes WebAssembly the backend of TensorFlow.js; in Node it runs on one thread. */
export async function useWasm(): Promise<void> {
  enableProdMode();
  setWasmPaths(dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm')) + sep);
  if (!(await setBackend('wasm'))) throw new Error('the wasm backend of TensorFlow.js cannot start here');
}
