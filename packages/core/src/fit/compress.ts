import { blockDiagonalTimes } from '../float64/block-diagonal.js';
import type { Matrix } from '../float64/matrix.js';
import { normalMatrix } from '../float64/normal-matrix.js';
import { orthonormalise } from '../float64/orthonormalise.js';
import { gram, product, transposedProduct } from '../float64/product.js';
import { headColumns } from './head-columns.js';
import type { ScoreForms } from './score-forms.js';
import type { SharedForm } from './shared-form.js';

/** Score forms in the few directions that hold most of them, and the way back. */
export interface CompressedForms {
  /** At most `headDim` query rows and key rows. */
  readonly forms: ScoreForms;
  expand(shared: SharedForm): SharedForm;
}

/**
 * Cuts both sides down to the joint leading `headDim`-dimensional spaces of all heads (Tucker's decomposition, by the
 * higher-order singular value decomposition; De Lathauwer, De Moor, Vandewalle 2000). Heads that share their
 * projections lose nothing; others are close enough for a start, at a fraction of the cost.
 */
export function compressForms(forms: ScoreForms, seed: number): CompressedForms {
  const query = leadingColumns(forms.query, forms.key, forms, seed);
  const key = leadingColumns(forms.key, forms.query, forms, seed);
  return {
    forms: { ...forms, query: transposedProduct(query, forms.query), key: transposedProduct(key, forms.key) },
    expand: (shared) => ({ ...shared, query: product(query, shared.query), key: product(key, shared.key) }),
  };
}

/** Of `sum_h F_h (O_h^T O_h) F_h^T`: `F` the factors of one side, `O` those of the other. */
function leadingColumns(factors: Matrix, others: Matrix, { numHeads, headDim }: ScoreForms, seed: number): Matrix {
  const grams = Array.from({ length: numHeads }, (_, head) => gram(headColumns(others, [head], headDim)));
  const apply = (columns: Matrix) => product(factors, blockDiagonalTimes(grams, transposedProduct(factors, columns)));
  // Two rounds of power iteration: more would bring little to what is only a start.
  const start = normalMatrix(factors.rows, Math.min(headDim, factors.rows), seed);
  return orthonormalise(apply(orthonormalise(apply(start))));
}
