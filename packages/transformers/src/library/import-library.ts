import type { TransformersLibrary } from './library.js';

/** Kept from bundlers, for which one of them may not be there: only work in Node imports a library of its own accord. */
const PACKAGES = ['@huggingface/transformers', '@xenova/transformers'];

/**
 * Imports the transformers.js that the project has installed: `@huggingface/transformers`, or failing that,
 * `@xenova/transformers`.
 *
 * @throws Error where neither can be imported; it says what to install.
 */
export async function importLibrary(): Promise<TransformersLibrary> {
  const failures: unknown[] = [];
  for (const name of PACKAGES) {
    try {
      return (await import(/* @vite-ignore */ /* webpackIgnore: true */ name)) as TransformersLibrary;
    } catch (failure) {
      failures.push(failure);
    }
  }
  throw new Error(
    'transformers.js is not installed: add @huggingface/transformers to the project, or pass the module as `library`.',
    { cause: new AggregateError(failures) },
  );
}
