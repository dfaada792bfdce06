import type { OrtRuntime } from './ort-runtime.js';

/**
 * Imports the ONNX Runtime that the project has installed: `onnxruntime-node` where it runs in Node, otherwise, or
 * failing that, `onnxruntime-web`.
 *
 * @throws Error where neither can be imported, or the one for Node is there and cannot be loaded; it says what to do.
 */
export async function importRuntime(): Promise<OrtRuntime> {
  const failures: unknown[] = [];
  if (globalThis.process?.versions?.node !== undefined) {
    // Kept from bundlers for the browser, where there is no such package to find.
    const name = 'onnxruntime-node';
    try {
      return (await import(/* @vite-ignore */ /* webpackIgnore: true */ name)) as OrtRuntime;
    } catch (failure) {
      if (isUnloadable(failure)) throw unloadable(failure);
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

/** Whether a native library is there and the system cannot load it: Node's own code for that. */
function isUnloadable(failure: unknown): failure is Error {
  return (failure as { code?: unknown }).code === 'ERR_DLOPEN_FAILED';
}

/** One process takes one version of ONNX Runtime: a second one finds the library of the first. */
function unloadable(cause: Error): Error {
  const [line] = cause.message.split('\n');
  const remedy =
    'Most likely another version of it is loaded already: keep one in the process (npm ls onnxruntime-node), or pass the loaded module as `runtime`.';
  return new Error(`onnxruntime-node cannot be loaded (${line}). ${remedy}`, { cause });
}
