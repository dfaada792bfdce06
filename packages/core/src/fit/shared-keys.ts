import { groupCount, headsByGroup } from '../attention/head-groups.js';
import { firstOfEach } from '../attention/identity.js';
import type { AttentionWeights, HeadGroups, Projection } from '../attention/weights.js';
import { cutRows } from '../float64/cut.js';
import { gram } from '../float64/product.js';
import { transpose } from '../float64/transpose.js';
import { combineErrors } from './fit-error.js';
import { groupHeads } from './group-heads.js';
import { type HeadSharing, resolveGroups } from './groups.js';
import { headColumns } from './head-columns.js';
import { lazy } from './lazy.js';
import type { FitMoments } from './moments.js';
import type { Pace } from './pace.js';
import { subspacePairLosses } from './pair-losses.js';
import { joinProjections } from './parts.js';
import type { QueryKeyProjections } from './query-key-projections.js';
import { rotaryPairLosses, rotarySharedKeys, type SharedKeyGroup } from './rotary-group.js';
import { rotaryProblem } from './rotary-problem.js';
import { formEnergies, selectForms } from './score-forms.js';
import { queryProjection, type ScoreProblem, scoreProblem } from './score-problem.js';
import { fitValue } from './value.js';
import { unweigh } from './weighting.js';

/**
 * Keys of a model whose heads share them already (grouped queries), in fewer groups: the queries stay each head's own and
 * take up what they can of the change. At the model's own number of groups nothing changes.
 */
export async function sharedKeys(
  weights: AttentionWeights,
  own: HeadGroups,
  { sharing, moments, seed, pace }: { sharing: HeadSharing; moments: FitMoments; seed: number; pace: Pace },
): Promise<QueryKeyProjections> {
  const { numHeads, headDim, query, key, rotary } = weights;
  const heads = Array.from({ length: numHeads }, (_, head) => head);
  const neutral = { queryGroups: heads, queryGain: null, queryBias: null, sweeps: 0 };
  if (sharing === 'heads' || sharing === groupCount(own.queryKey)) {
    const error = { overall: 0, perGroup: [] };
    return { ...neutral, groups: own.queryKey, query, key: firstOfEach(key, own.queryKey, headDim), error };
  }
  const plain = lazy(() => scoreProblem(weights, 'mul', moments));
  const turned = lazy(() => rotaryProblem(weights, rotary?.planes ?? [], moments));
  const forms = () => (rotary ? turned().forms : plain().forms);
  const groups = resolveGroups('queryKey', sharing, numHeads, (count) =>
    groupHeads(rotary ? rotaryPairLosses(turned(), true) : keyPairLosses(plain()), count),
  );
  const members = headsByGroup(groups);
  const parts: SharedKeyGroup[] = [];
  for (const group of members) {
    await pace();
    parts.push(
      rotary ? rotarySharedKeys(turned(), group, seed) : plainSharedKeys(plain(), group, query.bias !== null, seed),
    );
  }
  const queries = new Array<Projection>(numHeads);
  for (const part of parts) {
    part.heads.forEach((head, h) => {
      queries[head] = part.queries[h] as Projection;
    });
  }
  return {
    ...neutral,
    groups,
    query: joinProjections(queries),
    key: joinProjections(parts.map((part) => part.key)),
    error: combineErrors(
      parts.map((part) => part.error),
      groups,
      () => formEnergies(forms()),
    ),
  };
}

function keyPairLosses({ forms: { numHeads, headDim, query, key } }: ScoreProblem) {
  const grams = Array.from({ length: numHeads }, (_, head) => gram(headColumns(query, [head], headDim)));
  return subspacePairLosses(key, grams);
}

/** The best shared keys are a space of directions, as shared values are; the queries' sides follow by projection. */
function plainSharedKeys(
  problem: ScoreProblem,
  heads: readonly number[],
  hasBias: boolean,
  seed: number,
): SharedKeyGroup {
  const { numHeads, headDim, query, key } = selectForms(problem.forms, heads);
  const shared = fitValue({ numHeads, valueHeadDim: headDim, value: key, output: transpose(query) }, seed);
  const queries = heads.map((_, h) => {
    const rows = cutRows(shared.output, h * headDim, headDim);
    const { weight, bias } = queryProjection(problem, transpose(rows));
    return { weight, bias: hasBias ? bias : null };
  });
  return { heads, queries, key: { weight: unweigh(problem.key, shared.value), bias: null }, error: shared.error };
}
