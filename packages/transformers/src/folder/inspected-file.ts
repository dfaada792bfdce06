import { type Inspection, type InspectOptions, inspect, modelSize, type OnnxModel } from '@mhe/onnx';
import { cachePerToken } from './cache-per-token.js';
import type { ModelFile } from './model-folder.js';

/** A file of a model and what is in it. */
export interface InspectedFile {
  readonly file: ModelFile;
  readonly inspection: Inspection;
  /** Floating-point weights, of all the file. */
  readonly parameters: number;
  /** Elements of keys and values that it keeps for every token, also where it is swapped; 0 where it has no caches. */
  readonly cachePerToken: number;
}

/** What is in a model file that was read. */
export function inspectedFile(file: ModelFile, model: OnnxModel, finding: InspectOptions): InspectedFile {
  const inspection = inspect(model, finding);
  const { parameters } = modelSize(model);
  return { file, inspection, parameters, cachePerToken: cachePerToken(model, inspection) };
}
