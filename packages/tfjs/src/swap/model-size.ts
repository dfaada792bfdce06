import type { TfjsModel } from '../file/model.js';
import { weightElements } from '../file/weight-bytes.js';

/** Elements and stored bytes of a model's floating-point weights. */
export function modelSize({ weights }: TfjsModel): { readonly parameters: number; readonly bytes: number } {
  let [parameters, bytes] = [0, 0];
  for (const { spec, bytes: stored } of weights) {
    if (spec.dtype !== 'float32') continue;
    parameters += weightElements(spec);
    bytes += stored.byteLength;
  }
  return { parameters, bytes };
}
