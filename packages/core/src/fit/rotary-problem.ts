import type { AttentionWeights, Projection } from '../attention/weights.js';
import type { Matrix } from '../float64/matrix.js';
import { lazy } from './lazy.js';
import type { FitMoments } from './moments.js';
import type { PlaneGram } from './rotary-planes.js';
import { planeGrams } from './rotary-planes.js';
import type { ScoreForms } from './score-forms.js';
import { EVEN, linearWeighting, secondMomentWeighting, unweigh, type Weighting, weigh } from './weighting.js';

/** The scores of a layer whose queries and keys are rotated by position, measured by calibration. */
export interface RotaryProblem {
  readonly planes: readonly (readonly [number, number])[];
  /** The last row of a side is its bias, where it has one: behind a rotation, it does not cancel in softmax. */
  readonly forms: ScoreForms;
  /** Inner products of the heads' vectors in each plane. */
  readonly grams: () => { readonly query: readonly PlaneGram[]; readonly key: readonly PlaneGram[] };
  /** The projection whose weighted form this is. */
  readonly projection: (side: 'query' | 'key', weighted: Matrix) => Projection;
}

/** Weighs queries and keys by the second moments of their inputs: what is the same for all keys counts, too. */
export function rotaryProblem(
  { numHeads, headDim, query, key }: AttentionWeights,
  planes: readonly (readonly [number, number])[],
  { query: queryMoment, keyInput }: FitMoments,
): RotaryProblem {
  const sides = { query: side(query, queryMoment), key: side(key, keyInput) };
  const forms = { numHeads, headDim, query: sides.query.form, key: sides.key.form };
  return {
    planes,
    forms,
    grams: lazy(() => ({
      query: planeGrams(forms.query, numHeads, planes),
      key: planeGrams(forms.key, numHeads, planes),
    })),
    projection: (name, weighted) => {
      const all = unweigh(sides[name].weighting, weighted);
      if (!sides[name].hasBias) return { weight: all, bias: null };
      const rows = all.rows - 1;
      const last = rows * all.cols;
      return { weight: { rows, cols: all.cols, data: all.data.slice(0, last) }, bias: all.data.slice(last) };
    },
  };
}

function side({ weight, bias }: Projection, moment: Matrix | undefined) {
  if (!bias) {
    const weighting: Weighting = moment ? linearWeighting(moment) : EVEN;
    return { hasBias: false, weighting, form: weigh(weighting, weight) };
  }
  const weighting: Weighting = moment ? secondMomentWeighting(moment) : EVEN;
  const extended = new Float64Array((weight.rows + 1) * weight.cols);
  extended.set(weight.data);
  extended.set(bias, weight.data.length);
  return {
    hasBias: true,
    weighting,
    form: weigh(weighting, { rows: weight.rows + 1, cols: weight.cols, data: extended }),
  };
}
