import type { Matrix } from '../float64/matrix.js';
import { gram } from '../float64/product.js';
import { headColumns } from './head-columns.js';

/**
 * The bilinear forms `M_h = U_h V_h^T` by which heads score, kept as their two factors: never as matrices of the
 * model's width by itself.
 */
export interface ScoreForms {
  readonly numHeads: number;
  readonly headDim: number;
  /** `U`, `[queryRows, numHeads * headDim]`, heads in contiguous column blocks. */
  readonly query: Matrix;
  /** `V`, `[keyRows, numHeads * headDim]`. */
  readonly key: Matrix;
}

/** The forms of some of the heads, in the given order. */
export function selectForms({ headDim, query, key }: ScoreForms, heads: readonly number[]): ScoreForms {
  return {
    numHeads: heads.length,
    headDim,
    query: headColumns(query, heads, headDim),
    key: headColumns(key, heads, headDim),
  };
}

/** The squared Frobenius norm of each head's form. */
export function formEnergies(forms: ScoreForms): Float64Array {
  return Float64Array.from({ length: forms.numHeads }, (_, head) => {
    const { query, key } = selectForms(forms, [head]);
    const queryGram = gram(query).data;
    const keyGram = gram(key).data;
    return queryGram.reduce((sum, x, i) => sum + x * (keyGram[i] as number), 0);
  });
}

/** The sum of numbers. */
export function total(values: Float64Array): number {
  return values.reduce((sum, x) => sum + x, 0);
}
