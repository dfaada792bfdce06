import type { TransformersLibrary } from './library.js';

/** Kept from bundlers, for which one of them may not be there: only work in Node imports a library of its own accord. */
const PACKAGES = ['@huggingface/transformers', '@xenova/transformers'];

/**
 * Imports the transformers.js that the project has installed: `@huggingface/transformers`, or failing that,
 * `@xenova/transformers`.
 *
 * @throws Error where neither can be imported, or one is there and its ONNX Runtime cannot be loaded; it says what to do.
 */
export async function importLibrary(): Promise<TransformersLibrary> {
  const failures: unknown[] = [];
  for (const name of PACKAGES) {
    try {
      return (await import(/* @vite-ignore */ /* webpackIgnore: true */ name)) as TransformersLibrary;
    } catch (failure) {
      if ((failure as { code?: unknown }).code === 'ERR_DLOPEN_FAILED') throw unloadable(name, failure as Error);
      failures.push(failure);
    }
  }
  throw new Error(
    'transformers.js is not installed: add @huggingface/transformers to the project, or pass the module as `library`.',
    { cause: new AggregateError(failures) },
  );
}

/** Versions 2, 3 and 4 bring an onnxruntime-node each, of which one process takes one version. */
function unloadable(name: string, cause: Error): Error {
  const [line] = cause.message.split('\n');
  const remedy =
    'Most likely another version of onnxruntime-node is loaded already: load one version of transformers.js in a process, and pass it as `library`.';
  return new Error(`${name} cannot load its onnxruntime-node (${line}). ${remedy}`, { cause });
}
