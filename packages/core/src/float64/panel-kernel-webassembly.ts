import type { PanelKernel } from './panel-kernel.js';
import { PANEL_KERNEL_MODULE } from './panel-kernel-module.js';

const BYTES = Float64Array.BYTES_PER_ELEMENT;
const PAGE = 65536;

/** @throws where WebAssembly is missing, forbidden, or without vectors of 128 bits. */
export function webAssemblyKernel(): PanelKernel {
  const code = Uint8Array.from(atob(PANEL_KERNEL_MODULE), (character) => character.charCodeAt(0));
  const { memory, multiply } = new WebAssembly.Instance(new WebAssembly.Module(code)).exports as {
    readonly memory: WebAssembly.Memory;
    readonly multiply: PanelKernel['multiply'];
  };
  let numbers = new Float64Array(memory.buffer);
  return {
    memory(length) {
      if (length > numbers.length) {
        memory.grow(Math.ceil(((length - numbers.length) * BYTES) / PAGE));
        numbers = new Float64Array(memory.buffer);
      }
      return numbers;
    },
    multiply: (left, right, tiles, depth, count) => multiply(left * BYTES, right * BYTES, tiles * BYTES, depth, count),
  };
}
