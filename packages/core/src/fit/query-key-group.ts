import type { AttentionWeights, Projection } from '../attention/weights.js';
import type { Matrix } from '../float64/matrix.js';
import { headProjection } from './parts.js';
import { fitQueryKey, type QueryKeyOptions } from './query-key.js';
import { fitQueryKeyAdd } from './query-key-add.js';
import { selectForms } from './score-forms.js';
import { queryProjection, type ScoreProblem } from './score-problem.js';
import { throughMean, unweigh } from './weighting.js';

/** Queries and keys of one group of heads. */
export interface QueryKeyGroup {
  readonly heads: readonly number[];
  readonly query: Projection;
  readonly key: Projection;
  /** `[heads, headDim]`, or `null` for ones. */
  readonly gain: Matrix | null;
  /** `[heads, headDim]`, or `null` for zeros. */
  readonly bias: Matrix | null;
  /** Share of the energy that is left over. */
  readonly error: number;
  readonly sweeps: number;
}

/** A group of one head: that head, as it is. */
export function singleHead({ query, key, headDim }: AttentionWeights, head: number): QueryKeyGroup {
  return {
    heads: [head],
    query: headProjection(query, head, headDim),
    key: headProjection(key, head, headDim),
    gain: null,
    bias: null,
    error: 0,
    sweeps: 0,
  };
}

/** MHE-MUL: shared projections and a gain for each head. */
export async function mulGroup(
  problem: ScoreProblem,
  heads: readonly number[],
  hasBias: boolean,
  options: QueryKeyOptions,
): Promise<QueryKeyGroup> {
  const { shared, error, sweeps } = await fitQueryKey(selectForms(problem.forms, heads), options);
  const { weight, bias } = queryProjection(problem, shared.query);
  return {
    heads,
    query: { weight, bias: hasBias ? bias : null },
    key: { weight: unweigh(problem.key, shared.key), bias: null },
    gain: shared.gain,
    bias: null,
    error,
    sweeps,
  };
}

/** MHE-ADD: shared projections and a query bias for each head, the mean of which is the shared one. */
export function addGroup(problem: ScoreProblem, heads: readonly number[], seed: number): QueryKeyGroup {
  const shifted = fitQueryKeyAdd(selectForms(problem.forms, heads), seed);
  const weight = unweigh(problem.query, shifted.query);
  const atMean = throughMean(problem.query, weight);
  const { cols, data } = shifted.bias;
  const mean = new Float64Array(cols);
  data.forEach((x, at) => {
    mean[at % cols] = (mean[at % cols] as number) + x / heads.length;
  });
  return {
    heads,
    query: { weight, bias: mean.map((x, c) => x - (atMean[c] as number)) },
    key: { weight: unweigh(problem.key, shifted.key), bias: null },
    gain: null,
    bias: { ...shifted.bias, data: data.map((x, at) => x - (mean[at % cols] as number)) },
    error: shifted.error,
    sweeps: 0,
  };
}
