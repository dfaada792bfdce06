import type { Matrix } from '../float64/matrix.js';
import { product } from '../float64/product.js';
import { transpose } from '../float64/transpose.js';
import { headColumns } from './head-columns.js';
import type { ScoreForms } from './score-forms.js';

/** The forms themselves, `[queryRows, keyRows]` each: for compressed forms, where they are small. */
export function coreSlices({ numHeads, headDim, query, key }: ScoreForms): Matrix[] {
  return Array.from({ length: numHeads }, (_, head) =>
    product(headColumns(query, [head], headDim), transpose(headColumns(key, [head], headDim))),
  );
}
