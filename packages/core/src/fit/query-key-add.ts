import { leadingSubspace } from '../float64/leading-subspace.js';
import type { Matrix } from '../float64/matrix.js';
import { product, transposedProduct } from '../float64/product.js';
import { widen } from '../float64/widen.js';
import { zeros } from '../float64/zeros.js';
import { columnEnergies, scaleColumns } from './elementwise.js';
import { formEnergies, type ScoreForms, total } from './score-forms.js';

/** What heads of MHE-ADD share, with what tells them apart: queries shifted by a bias of each head's own. */
export interface ShiftedForm {
  /** `[queryRows - 1, headDim]`: without the constant, which is each head's own. */
  readonly query: Matrix;
  /** `[keyRows, headDim]`. */
  readonly key: Matrix;
  /** The constant's row for each head, `[numHeads, headDim]`. */
  readonly bias: Matrix;
  /** Share of the forms' energy that is left over, 0 to 1. */
  readonly error: number;
}

/**
 * The shared query and key projections and query biases of MHE-ADD for one group of heads, the best there are: with a
 * free bias for each head, only the mean of the forms matters for the rest, so the answer is the truncated singular
 * value decomposition of that mean (weighted by the number of heads) above the heads' constant rows.
 *
 * @param forms - row 0 of the query side is what the constant 1 brings, at right angles to all others.
 */
export function fitQueryKeyAdd(forms: ScoreForms, seed: number): ShiftedForm {
  const { numHeads, headDim, key } = forms;
  const stack = stackedQueries(forms);
  const apply = (columns: Matrix) => {
    const stacked = product(stack, transposedProduct(key, columns));
    return product(key, transposedProduct(stack, stacked));
  };
  const options = { maxIterations: 40, tolerance: 1e-3, spare: Math.ceil(headDim / 2), seed };
  const { basis, energies } = leadingSubspace(apply, key.rows, headDim, options);
  const energy = total(formEnergies(forms));
  const stacked = product(stack, transposedProduct(key, basis));
  const mean = { ...stacked, rows: stack.rows - numHeads, data: stacked.data.slice(0, -numHeads * basis.cols) };
  const bias = { ...stacked, rows: numHeads, data: stacked.data.slice(-numHeads * basis.cols) };
  const query = { ...mean, data: mean.data.map((x) => x / Math.sqrt(numHeads)) };
  const error = energy > 0 ? Math.max(0, 1 - total(energies) / energy) : 0;
  return balanced({ query, key: basis, bias, error }, headDim);
}

/** `[mean of the heads * sqrt(numHeads); constant rows]` in terms of the key factors: multiplied by `V^T` it is the stack. */
function stackedQueries({ numHeads, headDim, query }: ScoreForms): Matrix {
  const { cols, data } = query;
  const stack = zeros(query.rows - 1 + numHeads, cols);
  for (let at = cols; at < data.length; at++) stack.data[at - cols] = (data[at] as number) / Math.sqrt(numHeads);
  for (let head = 0; head < numHeads; head++) {
    const from = head * headDim;
    stack.data.set(data.subarray(from, from + headDim), (query.rows - 1 + head) * cols + from);
  }
  return stack;
}

/** Query and key columns equally long, and `headDim` of them even where the keys have fewer directions. */
function balanced({ query, key, bias, error }: ShiftedForm, headDim: number): ShiftedForm {
  const biases = columnEnergies(bias);
  const lengths = columnEnergies(query).map((x, f) => (x + (biases[f] as number) / bias.rows) ** 0.25 || 1);
  const inverse = lengths.map((x) => 1 / x);
  return {
    query: widen(scaleColumns(query, inverse), headDim),
    key: widen(scaleColumns(key, lengths), headDim),
    bias: widen(scaleColumns(bias, inverse), headDim),
    error,
  };
}
