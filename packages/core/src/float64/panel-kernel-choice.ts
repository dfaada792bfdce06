import type { PanelKernel } from './panel-kernel.js';
import { javascriptKernel } from './panel-kernel-javascript.js';
import { webAssemblyKernel } from './panel-kernel-webassembly.js';

let chosen: PanelKernel | undefined;

/**
 * WebAssembly where it can be had, plain JavaScript where not (a browser without vector instructions, a page whose
 * content security policy lacks `wasm-unsafe-eval`): the same numbers to the bit, about six times slower, which is said
 * once on the console.
 */
export function panelKernel(): PanelKernel {
  chosen ??= fastestKernel();
  return chosen;
}

function fastestKernel(): PanelKernel {
  try {
    return webAssemblyKernel();
  } catch (error) {
    console.warn(`[mhe] fits take several times longer here, without WebAssembly's vector instructions: ${error}`);
    return javascriptKernel();
  }
}
