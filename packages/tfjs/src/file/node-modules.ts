import { TfjsFileError } from './tfjs-file-error.js';

/** What is needed of Node to work with paths. */
export interface NodeModules {
  readonly fs: typeof import('node:fs');
  readonly path: typeof import('node:path');
}

/**
 * Node's own modules, asked for at run time: an import, even a dynamic one, would stop bundlers for browsers.
 *
 * @param file - the path that they are wanted for.
 * @throws TfjsFileError where there are none, as in a browser.
 */
export function nodeModules(file: string): NodeModules {
  const builtin = globalThis.process?.getBuiltinModule;
  if (builtin === undefined) {
    throw new TfjsFileError(
      file,
      'unreadable',
      'files can be opened by path only in Node 20.16 and later',
      'Elsewhere, load and save models with the handlers of TensorFlow.js',
    );
  }
  return { fs: builtin('node:fs'), path: builtin('node:path') };
}
