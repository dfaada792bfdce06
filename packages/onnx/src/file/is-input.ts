import type { OnnxModel } from '../graph/model.js';
import { FileSource } from './file-source.js';
import type { NodeModules } from './node-modules.js';

/** Whether a path leads to a file that a model was read from, by whatever name or link. */
export function isInput(node: NodeModules, model: OnnxModel, file: string): boolean {
  const identity = (path: string) => {
    const stats = node.fs.statSync(path, { throwIfNoEntry: false, bigint: true });
    return stats && `${stats.dev}:${stats.ino}`;
  };
  const sources = [...model.externalData.values()].filter((source) => source instanceof FileSource);
  const own = identity(file);
  return own !== undefined && [model.name, ...sources.map(({ path }) => path)].some((path) => identity(path) === own);
}
