import type { Matrix as MlMatrix } from 'ml-matrix';
import { toMlMatrix } from '../float64/ml-matrix.js';
import { headColumns } from './head-columns.js';
import type { ScoreForms } from './score-forms.js';

/** The forms themselves, `[queryRows, keyRows]` each: for compressed forms, where they are small. */
export function coreSlices({ numHeads, headDim, query, key }: ScoreForms): MlMatrix[] {
  return Array.from({ length: numHeads }, (_, head) =>
    toMlMatrix(headColumns(query, [head], headDim)).mmul(toMlMatrix(headColumns(key, [head], headDim)).transpose()),
  );
}
