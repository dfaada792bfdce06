/** Whether a metric improves upwards (accuracy, F1, correlation) or downwards (perplexity, error). */
export type Direction = 'higher is better' | 'lower is better';

/**
 * Performance retention ratio (paper, section 4): how much of MHA's score is kept, 1 for all of it. `score / mhaScore`,
 * or `1 - (score - mhaScore) / mhaScore` where lower is better.
 *
 * @throws RangeError when MHA's score is 0, of which no share can be kept.
 */
export function performanceRetention(
  score: number,
  mhaScore: number,
  direction: Direction = 'higher is better',
): number {
  if (mhaScore === 0)
    throw new RangeError('performance retention: the score of MHA is 0, so no share of it is defined');
  return direction === 'higher is better' ? score / mhaScore : 1 - (score - mhaScore) / mhaScore;
}

/** A score and what it took. */
export interface ScoredModel {
  readonly score: number;
  readonly parameters: number | bigint;
}

/**
 * Performance elasticity of parameters (paper, section 4): relative gain of the score over SHA for a relative gain of
 * parameters, `(score / score_SHA - 1) / (parameters / parameters_SHA - 1)`.
 *
 * @throws RangeError when SHA's score or parameters are 0, or both models have as many parameters.
 */
export function parameterElasticity(model: ScoredModel, sha: ScoredModel): number {
  if (sha.score === 0)
    throw new RangeError('parameter elasticity: the score of SHA is 0, so no gain over it is defined');
  const added = (Number(model.parameters) - Number(sha.parameters)) / Number(sha.parameters);
  if (!Number.isFinite(added) || added === 0) {
    throw new RangeError(
      `parameter elasticity: needs two different numbers of parameters above 0, got ${model.parameters} and ${sha.parameters}`,
    );
  }
  return (model.score / sha.score - 1) / added;
}
