import type { OrtRuntime } from './ort-runtime.js';

/**
 * Imports the ONNX Runtime that the project has installed: `onnxruntime-node` where it runs in Node, otherwise, or
 * failing that, `onnxruntime-web`.
 *
 * @throws Error where neither can be imported; it says what to install.
 */
export async function importRuntime(): Promise<OrtRuntime> {
  const failures: unknown[] = [];
  if (globalThis.process?.versions?.node !== undefined) {
    // Kept from bundlers for the browser, where there is no such package to find.
    const name = 'onnxruntime-node';
    try {
      return (await import(/* @vite-ignore */ /* webpackIgnore: true */ name)) as OrtRuntime;
    } catch (failure) {
      failures.push(failure);
    }
  }
  try {
    return await import('onnxruntime-web');
  } catch (failure) {
    failures.push(failure);
  }
  throw new Error(
    'ONNX Runtime is not installed: add onnxruntime-node (Node) or onnxruntime-web (browsers, Node) to the project, or pass the module as `runtime`.',
    { cause: new AggregateError(failures) },
  );
}
