/** What is needed of Node to work with folders. */
export interface NodeModules {
  readonly fs: typeof import('node:fs');
  readonly path: typeof import('node:path');
  readonly os: typeof import('node:os');
}

/** Node's own modules, asked for at run time, which bundlers for browsers do not see; `null` where there are none. */
export function nodeModules(): NodeModules | null {
  const builtin = globalThis.process?.getBuiltinModule;
  return builtin === undefined ? null : { fs: builtin('node:fs'), path: builtin('node:path'), os: builtin('node:os') };
}
