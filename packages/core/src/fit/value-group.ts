import type { AttentionWeights, Projection } from '../attention/weights.js';
import type { Matrix } from '../float64/matrix.js';
import { product } from '../float64/product.js';
import { headRows } from './head-columns.js';
import { type HeadRows, headProjection } from './parts.js';
import { fitValue, selectValues } from './value.js';
import type { ValueProblem } from './value-problem.js';
import { throughMean, unweigh } from './weighting.js';

/** Values of one group of heads, and the heads' rows of the output projection. */
export interface ValueGroup extends HeadRows {
  readonly value: Projection;
  /** What the output's bias must make up for: `[outputDim]`, or `null` for nothing. */
  readonly shift: Float64Array | null;
  /** Share of the energy that is left over. */
  readonly error: number;
}

/** A group of one head: that head, as it is. */
export function singleValueHead({ value, output, valueHeadDim }: AttentionWeights, head: number): ValueGroup {
  return {
    heads: [head],
    value: headProjection(value, head, valueHeadDim),
    rows: headRows(output.weight, [head], valueHeadDim),
    shift: null,
    error: 0,
  };
}

/**
 * One value projection for some heads. The rows of attention sum to one, so what the mean input and the value biases
 * bring is the same at all positions: it belongs, exactly, into the output's bias, and the projection has none. Where rows
 * may attend to nothing, the bias stays with the values.
 */
export function sharedValueHeads(
  { forms, weighting, constants, biasIsRow }: ValueProblem,
  heads: readonly number[],
  seed: number,
): ValueGroup {
  const group = selectValues(forms, heads);
  const { value, output, error } = fitValue(group, seed);
  const weight = unweigh(weighting, value);
  if (biasIsRow) return { heads, value: splitBias(weight), rows: output, shift: null, error };
  const before = heads.flatMap((head) => [...headRows(constants, [head], forms.valueHeadDim).data]);
  const atMean = throughMean(weighting, weight);
  const after = heads.flatMap(() => [...atMean]);
  const shift = subtract(timesRow(before, group.output), timesRow(after, output));
  return {
    heads,
    value: { weight, bias: null },
    rows: output,
    shift: shift.some((x) => x !== 0) ? shift : null,
    error,
  };
}

function splitBias({ rows, cols, data }: Matrix): Projection {
  const last = (rows - 1) * cols;
  return { weight: { rows: rows - 1, cols, data: data.slice(0, last) }, bias: data.slice(last) };
}

function timesRow(row: readonly number[], matrix: Matrix): Float64Array {
  return product({ rows: 1, cols: row.length, data: Float64Array.from(row) }, matrix).data;
}

function subtract(a: Float64Array, b: Float64Array): Float64Array {
  return a.map((x, i) => x - (b[i] as number));
}
