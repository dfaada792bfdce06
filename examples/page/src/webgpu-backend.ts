// The backend webgpu, better at two things than its package registers it: small tensors, and a device that is lost.
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import '@tensorflow/tfjs-backend-webgpu';
import { findBackendFactory, registerBackend, removeBackend } from '@tensorflow/tfjs-core';
import { keepSmallTensors } from './keep-small-tensors.js';

let lost = false;

/** None in a browser without WebGPU. */
const start = findBackendFactory('webgpu') as (() => Promise<WebGPUBackend>) | null;
register();

function register(): void {
  if (!start) return;
  removeBackend('webgpu');
  registerBackend('webgpu', async () => {
    const backend = await start();
    keepSmallTensors(backend);
    lost = false;
    backend.device.lost.then(() => {
      lost = true;
    });
    return backend;
  });
}

/** Has TensorFlow.js start webgpu anew where its device was lost; by itself it would go on with that one. */
export function forgetLostDevice(): void {
  if (lost) register();
}

/**
 * Does work on the current backend.
 *
 * @throws Error that says so where the device was lost, with all that it held, in place of what failed by that.
 */
export async function unlessLost<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (failure) {
    if (!lost) throw failure;
    const whatToDo = 'Choose another backend; webgpu can be chosen again after that.';
    throw new Error(`The browser lost the graphics adapter of webgpu. ${whatToDo}`, { cause: failure });
  }
}
