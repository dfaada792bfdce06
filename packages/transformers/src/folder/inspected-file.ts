import { type Inspection, type InspectOptions, inspect, modelSize, type OnnxModel } from '@mhe/onnx';
import type { ModelFile } from './model-folder.js';

/** A file of a model and what is in it. */
export interface InspectedFile {
  readonly file: ModelFile;
  readonly inspection: Inspection;
  /** Floating-point weights, of all the file. */
  readonly parameters: number;
  /** Elements of keys and values that its self-attention keeps for every token; 0 where it has no caches. */
  readonly cachePerToken: number;
}

/** What is in a model file that was read. */
export function inspectedFile(file: ModelFile, model: OnnxModel, finding: InspectOptions): InspectedFile {
  const inspection = inspect(model, finding);
  const { parameters } = modelSize(model);
  return { file, inspection, parameters, cachePerToken: cachePerToken(inspection) };
}

function cachePerToken({ attention }: Inspection): number {
  return attention.reduce((sum, { kind, cache, groups, headDim, valueHeadDim }) => {
    if (kind !== 'self' || cache === null) return sum;
    const keys = cache.key === null ? 0 : groups.queryKey * headDim;
    const values = cache.value === null ? 0 : groups.value * valueHeadDim;
    return sum + keys + values;
  }, 0);
}
