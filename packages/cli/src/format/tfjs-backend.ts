import { createRequire } from 'node:module';
import { dirname, sep } from 'node:path';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import { enableProdMode, setBackend } from '@tensorflow/tfjs-core';

/** What came of some work, and what has to be said about the backend that did it. */
export interface BackendWork<Result> {
  readonly result: Result;
  readonly notices: readonly string[];
}

/**
 * Does some work in TensorFlow.js' wasm backend. Where wasm cannot start, or lacks a kernel that the model needs, the
 * work is done, from its start, in the cpu backend, which has all kernels and is slower; a notice says so.
 */
export async function withTfjsBackend<Result>(work: () => Promise<Result>): Promise<BackendWork<Result>> {
  // Otherwise the engine greets on stderr.
  enableProdMode();
  setWasmPaths(dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm')) + sep);
  let reason = 'cannot start';
  if (await setBackend('wasm')) {
    try {
      return { result: await work(), notices: [] };
    } catch (error) {
      const kernel = missingKernel(error);
      if (kernel === null) throw error;
      reason = `lacks the kernel ${kernel}`;
    }
  }
  await import('@tensorflow/tfjs-backend-cpu');
  await setBackend('cpu');
  const notice = `the wasm backend of TensorFlow.js ${reason}, so the model ran in the slower cpu backend`;
  return { result: await work(), notices: [notice] };
}

/** The kernel that the engine asked a backend for in vain. */
function missingKernel(error: unknown): string | null {
  if (!(error instanceof Error)) return null;
  return /Kernel '(\w+)' not registered for backend/.exec(error.message)?.[1] ?? null;
}
