import type { AttentionWeights } from '../attention/weights.js';
import type { Matrix } from '../float64/matrix.js';
import type { FitMoments } from './moments.js';
import type { ValueForms } from './value.js';
import { affineWeighting, EVEN, throughMean, type Weighting, weigh } from './weighting.js';

/** The contributions of a layer's heads, measured by calibration. */
export interface ValueProblem {
  /** What varies between positions. */
  readonly forms: ValueForms;
  readonly weighting: Weighting;
  /** What is the same at all positions: each head's values at the mean input, `[numHeads * valueHeadDim, 1]`. */
  readonly constants: Matrix;
}

/** Weighs the value projection by the moment of the attended inputs. */
export function valueProblem(weights: AttentionWeights, { attended }: FitMoments): ValueProblem {
  const { numHeads, valueHeadDim, value, output } = weights;
  const weighting = attended ? affineWeighting(attended) : EVEN;
  const constants = throughMean(weighting, value.weight).map((x, c) => x + (value.bias?.[c] ?? 0));
  return {
    forms: { numHeads, valueHeadDim, value: weigh(weighting, value.weight), output: output.weight },
    weighting,
    constants: { rows: constants.length, cols: 1, data: constants },
  };
}
