/** A class of transformers.js with a `from_pretrained`. */
export interface PretrainedClass {
  from_pretrained(id: string, options?: object): Promise<unknown>;
}

/** The settings of transformers.js that are read, or set for a while, here. */
export interface LibraryEnv {
  readonly version: string;
  allowLocalModels: boolean;
  localModelPath: string;
  useFSCache: boolean;
  useBrowserCache: boolean;
  useCustomCache: boolean;
  customCache: unknown;
  cacheDir: string | null;
  remoteHost: string;
  remotePathTemplate: string;
  /** Version 4 only: what it asks the hub with. */
  fetch?: ((input: string | URL, init?: object) => Promise<unknown>) | undefined;
}

/**
 * The module of transformers.js, as far as it is used here: what `import * as transformers` gives for
 * `@huggingface/transformers` 3 and 4 and for `@xenova/transformers` 2.17.
 */
export interface TransformersLibrary {
  readonly env: LibraryEnv;
  readonly AutoModel: PretrainedClass;
  readonly AutoTokenizer: PretrainedClass;
  readonly AutoProcessor: PretrainedClass;
  readonly RawImage: { read(input: never): Promise<unknown> };
  readonly Tensor: new (...parts: never) => object;
}

/** A version of transformers.js that is supported. */
export type LibraryMajor = 2 | 3 | 4;

/**
 * The version of the library.
 *
 * @throws RangeError where it is none that this package was tested with, or no transformers.js at all.
 */
export function libraryMajor(library: Pick<TransformersLibrary, 'env'>): LibraryMajor {
  const { env } = library ?? {};
  if (typeof env?.version !== 'string') {
    throw new RangeError(
      "library: it is no transformers.js; give what `import * as transformers from '@huggingface/transformers'` gives",
    );
  }
  const major = Number(env.version.split('.')[0]);
  if (major === 2 || major === 3 || major === 4) return major;
  throw new RangeError(`transformers.js ${env.version} is not supported: use version 2.17, 3 or 4`);
}
