import { blockDiagonalTimes } from '../float64/block-diagonal.js';
import { leadingSubspace } from '../float64/leading-subspace.js';
import type { Matrix } from '../float64/matrix.js';
import { gram, product, transposedProduct } from '../float64/product.js';
import { transpose } from '../float64/transpose.js';
import { widen } from '../float64/widen.js';
import { headColumns, headRows } from './head-columns.js';
import { total } from './score-forms.js';

/** What heads contribute to the output for each input, `F_h O_h`, kept as its two factors. */
export interface ValueForms {
  readonly numHeads: number;
  readonly valueHeadDim: number;
  /** `F`, `[valueRows, numHeads * valueHeadDim]`, heads in contiguous column blocks. */
  readonly value: Matrix;
  /** `O`, `[numHeads * valueHeadDim, outputDim]`, heads in contiguous row blocks. */
  readonly output: Matrix;
}

/** One value projection for all heads, and what each then does to the output. */
export interface SharedValue {
  /** `[valueRows, valueHeadDim]`, orthonormal columns. */
  readonly value: Matrix;
  /** `[numHeads * valueHeadDim, outputDim]`. */
  readonly output: Matrix;
  /** Share of the contributions' energy that is left over, 0 to 1. */
  readonly error: number;
}

/** The forms of some of the heads, in the given order. */
export function selectValues({ valueHeadDim, value, output }: ValueForms, heads: readonly number[]): ValueForms {
  return {
    numHeads: heads.length,
    valueHeadDim,
    value: headColumns(value, heads, valueHeadDim),
    output: headRows(output, heads, valueHeadDim),
  };
}

/** `O_h O_h^T` of each head: how much the output makes of its values, in each direction. */
export function outputGrams({ numHeads, valueHeadDim, output }: ValueForms): Matrix[] {
  return Array.from({ length: numHeads }, (_, head) => {
    return gram(transpose(headRows(output, [head], valueHeadDim)));
  });
}

/**
 * The best shared value projection for one group of heads. Each head's output projection is free, so only the space that
 * the values span counts: the leading eigenvectors of `sum_h F_h O_h O_h^T F_h^T`. The output follows by projection.
 */
export function fitValue(forms: ValueForms, seed: number): SharedValue {
  const { numHeads, valueHeadDim, value } = forms;
  const grams = outputGrams(forms);
  const apply = (columns: Matrix) => product(value, blockDiagonalTimes(grams, transposedProduct(value, columns)));
  const options = { maxIterations: 40, tolerance: 1e-3, spare: Math.ceil(valueHeadDim / 2), seed };
  const { basis, energies } = leadingSubspace(apply, value.rows, valueHeadDim, options);
  const shared = widen(basis, valueHeadDim);
  const blocks = transposedProduct(shared, value);
  const heads = Array.from({ length: numHeads }, (_, head) => headColumns(blocks, [head], valueHeadDim));
  const energy = total(valueEnergies(forms, grams));
  return {
    value: shared,
    output: blockDiagonalTimes(heads, forms.output),
    error: energy > 0 ? Math.max(0, 1 - total(energies) / energy) : 0,
  };
}

/** `|F_h O_h|^2` of each head. */
export function valueEnergies({ value, valueHeadDim }: ValueForms, grams: readonly Matrix[]): Float64Array {
  return Float64Array.from(grams, (outputGram, head) => {
    const valueGram = gram(headColumns(value, [head], valueHeadDim)).data;
    return valueGram.reduce((sum, x, i) => sum + x * (outputGram.data[i] as number), 0);
  });
}
