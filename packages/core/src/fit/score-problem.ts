import type { AttentionWeights, Embedding, Projection } from '../attention/weights.js';
import { cutRows } from '../float64/cut.js';
import type { Matrix } from '../float64/matrix.js';
import { zeros } from '../float64/zeros.js';
import type { FitMoments } from './moments.js';
import type { ScoreForms } from './score-forms.js';
import {
  affineWeighting,
  EVEN,
  linearWeighting,
  secondMomentWeighting,
  throughMean,
  unweigh,
  type Weighting,
  weigh,
} from './weighting.js';

/** The scores of a layer, measured by calibration. */
export interface ScoreProblem {
  /** Row 0 of the query side is what the mean input brings, the others what varies. */
  readonly forms: ScoreForms;
  readonly query: Weighting;
  readonly key: Weighting;
}

/**
 * Weighs the query and key projections by the moments. Key biases are left out: what they add is the same for all keys,
 * so softmax cancels it.
 */
export function scoreProblem(weights: AttentionWeights, embedding: Embedding, moments: FitMoments): ScoreProblem {
  const query = queryWeighting(weights.query, embedding, moments.query);
  const key = moments.key ? secondMomentWeighting(moments.key) : EVEN;
  const { numHeads, headDim } = weights;
  const forms = {
    numHeads,
    headDim,
    query: withConstantRow(weights.query, query),
    key: weigh(key, weights.key.weight),
  };
  return { forms, query, key };
}

/** The projection whose weighted form this is. */
export function queryProjection({ query }: ScoreProblem, weighted: Matrix): Projection {
  const weight = unweigh(query, cutRows(weighted, 1, weighted.rows - 1));
  const bias = throughMean(query, weight).map((x, c) => (weighted.data[c] as number) - x);
  return { weight, bias };
}

/** MHE-MUL gives no bias to queries that had none; MHE-ADD has one anyway. */
function queryWeighting({ bias }: Projection, embedding: Embedding, moment: Matrix | undefined): Weighting {
  if (!moment) return EVEN;
  return bias || embedding === 'add' ? affineWeighting(moment) : linearWeighting(moment);
}

function withConstantRow({ weight, bias }: Projection, weighting: Weighting): Matrix {
  const out = zeros(weight.rows + 1, weight.cols);
  out.data.set(throughMean(weighting, weight).map((x, c) => x + (bias?.[c] ?? 0)));
  out.data.set(weigh(weighting, weight).data, weight.cols);
  return out;
}
