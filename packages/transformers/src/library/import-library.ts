import type { TransformersLibrary } from './library.js';

/**
 * Imports the transformers.js that the project has installed: `@huggingface/transformers`, or failing that,
 * `@xenova/transformers`.
 *
 * @throws Error where neither can be imported; it says what to install.
 */
export async function importLibrary(): Promise<TransformersLibrary> {
  try {
    return await import('@huggingface/transformers');
  } catch (huggingFace) {
    try {
      return await import('@xenova/transformers');
    } catch (xenova) {
      throw new Error(
        'transformers.js is not installed: add @huggingface/transformers to the project, or pass the module as `library`.',
        { cause: new AggregateError([huggingFace, xenova]) },
      );
    }
  }
}
