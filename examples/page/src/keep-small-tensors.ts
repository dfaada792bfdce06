import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';

/** Enough for the sizes, axes and bounds that operators take as tensors. */
const mostElements = 16;

/**
 * Has the backend webgpu keep the numbers of small tensors that it moves to the graphics card, as it keeps those that were read
 * back. Else it reads them back where an operator wants them at once as a size or an axis: by way of a canvas, which is slow, and
 * crashes Chromium's graphics process where that cannot draw what WebGPU computes, as without a graphics card.
 */
export function keepSmallTensors(webgpu: WebGPUBackend): void {
  const { uploadToGPU } = webgpu;
  webgpu.uploadToGPU = (id) => {
    const tensor = webgpu.tensorMap.get(id);
    const { values } = tensor;
    uploadToGPU.call(webgpu, id);
    if (values && values.length <= mostElements) tensor.values = values;
  };
}
