// The backends that the tests run on, each made ready once.
import '@tensorflow/tfjs-backend-cpu';
import { env, ready, setBackend } from '@tensorflow/tfjs-core';

// No advertisement for tfjs-node.
env().set('PROD', true);

export type TestBackend = 'cpu' | 'wasm' | 'webgl' | 'webgpu';

/** Those of Node. */
export const nodeBackends = ['cpu', 'wasm'] as const;

/** Those of the browser besides. */
export const browserBackends = ['webgl', 'webgpu'] as const;

/** How far from float64 float32 may end, relative to the largest number, on this backend. */
export const tolerances: Record<TestBackend, number> = { cpu: 5e-6, wasm: 5e-6, webgl: 5e-5, webgpu: 5e-5 };

const load: Record<TestBackend, () => Promise<unknown>> = {
  cpu: async () => undefined,
  wasm: loadWasm,
  webgl: () => import('@tensorflow/tfjs-backend-webgl'),
  webgpu: () => import('@tensorflow/tfjs-backend-webgpu'),
};

/** Makes the backend the current one. */
export async function useBackend(backend: TestBackend): Promise<void> {
  await load[backend]();
  if (!(await setBackend(backend))) throw new Error(`${backend}: this machine has no such backend`);
  await ready();
}

async function loadWasm(): Promise<void> {
  const { setWasmPaths } = await import('@tensorflow/tfjs-backend-wasm');
  const { createRequire } = await import('node:module');
  const entry = createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm');
  setWasmPaths(entry.slice(0, entry.lastIndexOf('tf-backend-wasm')));
}
