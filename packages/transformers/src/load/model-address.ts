import { libraryMajor, type TransformersLibrary } from '../library/library.js';
import type { LibraryOptions } from './load-options.js';
import { pathJoin } from './path-join.js';

/** Where the library looks for the files of one model. */
export interface ModelAddress {
  /** Below the folder of local models, or the path that was given for an id. */
  local(file: string): string;
  /** On the hub; also the key of browser and custom caches. */
  remote(file: string): string;
  /** Key of the file cache. */
  cached(file: string): string;
}

/** The address of a model, by the library's rules. */
export function modelAddress(library: TransformersLibrary, id: string, options: LibraryOptions): ModelAddress {
  const { localModelPath, remoteHost, remotePathTemplate } = library.env;
  const revision = options.revision ?? 'main';
  const isBelow = libraryMajor(library) === 2 || isHubId(id);
  const folder = remotePathTemplate.replaceAll('{model}', id).replaceAll('{revision}', encodeURIComponent(revision));
  return {
    local: (file) => (isBelow ? pathJoin(localModelPath, id, file) : pathJoin(id, file)),
    remote: (file) => pathJoin(remoteHost, folder, file),
    cached: (file) => (revision === 'main' ? pathJoin(id, file) : pathJoin(id, revision, file)),
  };
}

/** Whether an id may be one of the hub: a name, or an owner and a name. Versions 3 and 4 take others for paths. */
function isHubId(id: string): boolean {
  return /^(\b[\w\-.]+\b\/)?\b[\w\-.]{1,96}\b$/.test(id) && !/\.\.|--|\.(git|ipynb)$/.test(id);
}
