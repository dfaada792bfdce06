// The backends of TensorFlow.js that a page or its worker can choose from.
import '@tensorflow/tfjs-backend-webgl';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import plainWasm from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm?url';
import simdWasm from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm?url';
import threadedWasm from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-threaded-simd.wasm?url';
import { env, ready, setBackend } from '@tensorflow/tfjs-core';
import type { Obstacles } from './backend-choice.js';
import { forgetLostDevice } from './webgpu-backend.js';
import { webgpuObstacle } from './webgpu-obstacle.js';

export type BackendName = 'wasm' | 'webgl' | 'webgpu';

export type BackendObstacles = Obstacles<BackendName>;

setWasmPaths({
  'tfjs-backend-wasm.wasm': plainWasm,
  'tfjs-backend-wasm-simd.wasm': simdWasm,
  'tfjs-backend-wasm-threaded-simd.wasm': threadedWasm,
});
// Threads pay for large products only, and the script that starts them does not survive a bundler's shortening.
env().set('WASM_HAS_MULTITHREAD_SUPPORT', false);
// Programs of webgl that are told sizes serve inputs of every length, where others are compiled for each.
env().set('WEBGL_USE_SHAPES_UNIFORMS', true);

/** Asks the browser what it has. */
export async function backendObstacles(): Promise<BackendObstacles> {
  return {
    wasm: typeof WebAssembly === 'object' ? null : 'this browser has no WebAssembly',
    webgl: webglObstacle(),
    webgpu: await webgpuObstacle(),
  };
}

/**
 * Makes a backend the current one.
 *
 * @throws Error where the browser turns out not to have it.
 */
export async function useBackend(backend: BackendName): Promise<void> {
  if (backend === 'webgpu') forgetLostDevice();
  if (!(await setBackend(backend))) throw new Error(`The backend ${backend} could not be started in this browser.`);
  await ready();
}

function webglObstacle(): string | null {
  if (typeof OffscreenCanvas === 'undefined') return 'this browser has no canvas in workers';
  const context = new OffscreenCanvas(1, 1).getContext('webgl2');
  if (context === null) return 'this browser has no WebGL 2 here';
  context.getExtension('WEBGL_lose_context')?.loseContext();
  return null;
}
