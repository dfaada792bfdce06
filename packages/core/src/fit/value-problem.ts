import type { AttentionWeights } from '../attention/weights.js';
import type { Matrix } from '../float64/matrix.js';
import type { FitMoments } from './moments.js';
import type { ValueForms } from './value.js';
import {
  affineWeighting,
  EVEN,
  linearWeighting,
  secondMomentWeighting,
  throughMean,
  type Weighting,
  weigh,
} from './weighting.js';

/** The contributions of a layer's heads, measured by calibration. */
export interface ValueProblem {
  /** Whether the last row of the values is their bias, fitted as a feature that is 1 where a row attends to anything. */
  readonly biasIsRow: boolean;
  /** What varies between positions. */
  readonly forms: ValueForms;
  readonly weighting: Weighting;
  /** What is the same at all positions: each head's values at the mean input, `[numHeads * valueHeadDim, 1]`. */
  readonly constants: Matrix;
}

/**
 * Weighs the value projection by the moment of the attended inputs.
 *
 * @param emptyRows - whether rows may attend to nothing: what is the same at all other positions is then no part of the
 *   output's bias, but of the values.
 */
export function valueProblem(weights: AttentionWeights, { attended }: FitMoments, emptyRows: boolean): ValueProblem {
  const { numHeads, valueHeadDim, value, output } = weights;
  if (emptyRows && value.bias) {
    const weighting = attended ? secondMomentWeighting(attended) : EVEN;
    const { rows, cols, data } = value.weight;
    const extended = { rows: rows + 1, cols, data: new Float64Array((rows + 1) * cols) };
    extended.data.set(data);
    extended.data.set(value.bias, rows * cols);
    return {
      biasIsRow: true,
      forms: { numHeads, valueHeadDim, value: weigh(weighting, extended), output: output.weight },
      weighting,
      constants: { rows: cols, cols: 1, data: new Float64Array(cols) },
    };
  }
  const weighting = attended ? (emptyRows ? linearWeighting(attended) : affineWeighting(attended)) : EVEN;
  const constants = throughMean(weighting, value.weight).map((x, c) => x + (value.bias?.[c] ?? 0));
  return {
    biasIsRow: false,
    forms: { numHeads, valueHeadDim, value: weigh(weighting, value.weight), output: output.weight },
    weighting,
    constants: { rows: constants.length, cols: 1, data: constants },
  };
}
