import type { TransformersLibrary } from '../library/library.js';
import type { LibraryOptions } from './load-options.js';

/** How a model was loaded, so that it can be done again. */
export interface KnownLoad {
  readonly library: TransformersLibrary;
  readonly id: string;
  /** As the library was given them: of a swapped model, with the place of its files. */
  readonly options: LibraryOptions;
  run(options: LibraryOptions): Promise<Disposable>;
}

/** What the library loaded: a model or a pipeline. */
export interface Disposable {
  dispose(): Promise<unknown>;
}

const loads = new WeakMap<object, KnownLoad>();

/**
 * Remembers how something was loaded: the library's models tell neither their id nor their files.
 *
 * @param loaded - a pipeline or a model; of a pipeline, its model is remembered too.
 * @returns `loaded`.
 */
export function rememberLoad<Loaded extends object>(loaded: Loaded, load: KnownLoad): Loaded {
  loads.set(loaded, load);
  const { model } = loaded as { model?: unknown };
  if (typeof model === 'object' && model !== null) loads.set(model, load);
  return loaded;
}

/** How a model was loaded; `undefined` where that was not through `withMhe`. */
export function knownLoad(loaded: object): KnownLoad | undefined {
  return loads.get(loaded);
}
