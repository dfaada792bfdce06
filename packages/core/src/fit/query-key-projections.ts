import { FormError } from '../attention/form-error.js';
import { groupCount, headsByGroup } from '../attention/head-groups.js';
import type { AttentionWeights, Embedding, Projection } from '../attention/weights.js';
import type { Matrix } from '../float64/matrix.js';
import { gram } from '../float64/product.js';
import { combineErrors, type FitError } from './fit-error.js';
import { groupHeads } from './group-heads.js';
import { type HeadSharing, resolveGroups } from './groups.js';
import { headColumns } from './head-columns.js';
import { lazy } from './lazy.js';
import type { FitMoments } from './moments.js';
import type { Pace } from './pace.js';
import { formPairDistances, subspacePairLosses, sumLosses } from './pair-losses.js';
import { joinHeadRows, joinProjections } from './parts.js';
import { addGroup, mulGroup, type QueryKeyGroup, singleHead } from './query-key-group.js';
import { rotaryGroup, rotaryPairLosses } from './rotary-group.js';
import { rotaryProblem } from './rotary-problem.js';
import { formEnergies, type ScoreForms } from './score-forms.js';
import { scoreProblem } from './score-problem.js';
import { sharedKeys } from './shared-keys.js';

/** The query and key side of folded MHE weights. */
export interface QueryKeyProjections {
  readonly groups: readonly number[];
  /** Group of each head's query projection, where it is not that of its keys. */
  readonly queryGroups?: readonly number[];
  readonly query: Projection;
  readonly key: Projection;
  readonly queryGain: Matrix | null;
  readonly queryBias: Matrix | null;
  readonly error: FitError;
  readonly sweeps: number;
}

/** What decides the fit. */
export interface QueryKeyProjectionOptions {
  readonly sharing: HeadSharing;
  readonly embedding: Embedding;
  readonly moments: FitMoments;
  readonly seed: number;
  readonly pace: Pace;
  readonly onSweep: (group: number, groups: number, error: number) => void;
}

/** Groups the heads and fits each group's queries and keys; a group of one head keeps that head as it is. */
export async function queryKeyProjections(
  weights: AttentionWeights,
  { sharing, embedding, moments, seed, pace, onSweep }: QueryKeyProjectionOptions,
): Promise<QueryKeyProjections> {
  const { keyValueGroups: own, rotary, normalised } = weights;
  const count = own ? groupCount(own.queryKey) : weights.numHeads;
  if (normalised && sharing !== 'heads' && sharing !== count) {
    const reason = `they are normalised after their projections; share values alone: groups { queryKey: 'heads', value: ... }`;
    throw new FormError('shared queries and keys', reason);
  }
  if (rotary && embedding === 'add') {
    throw new FormError('MHE-ADD', 'its queries and keys are rotated by position, which only MHE-MUL commutes with');
  }
  if (own) return sharedKeys(weights, own, { sharing, moments, seed, pace });
  const plain = lazy(() => scoreProblem(weights, embedding, moments));
  const turned = lazy(() => rotaryProblem(weights, rotary?.planes ?? [], moments));
  const problem = () => (rotary ? turned() : plain());
  const groups = resolveGroups('queryKey', sharing, weights.numHeads, (count) =>
    groupHeads(rotary ? rotaryPairLosses(turned(), false) : pairLosses(plain().forms, embedding), count),
  );
  const members = headsByGroup(groups);
  const parts: QueryKeyGroup[] = [];
  for (const [group, heads] of members.entries()) {
    await pace();
    const [head] = heads as [number, ...number[]];
    if (heads.length === 1) parts.push(singleHead(weights, head));
    else if (embedding === 'add') parts.push(addGroup(plain(), heads, seed));
    else {
      const report = (_: number, error: number) => onSweep(group, members.length, error);
      const options = { seed, pace, onSweep: report };
      const hasBias = weights.query.bias !== null;
      parts.push(await (rotary ? rotaryGroup(turned(), heads, options) : mulGroup(plain(), heads, hasBias, options)));
    }
  }
  return {
    groups,
    query: joinProjections(parts.map((part) => part.query)),
    key: joinProjections(parts.map((part) => part.key)),
    queryGain: joinHeadRows(
      parts.map(({ heads, gain }) => ({ heads, rows: gain })),
      1,
      1,
    ),
    queryBias: joinHeadRows(
      parts.map(({ heads, bias }) => ({ heads, rows: bias })),
      1,
      0,
    ),
    error: combineErrors(
      parts.map((part) => part.error),
      groups,
      () => formEnergies(problem().forms),
    ),
    sweeps: parts.reduce((sum, part) => sum + part.sweeps, 0),
  };
}

/** Gains need one space for all heads on either side; a free bias leaves the rest of the form to agree by itself. */
function pairLosses({ numHeads, headDim, query, key }: ScoreForms, embedding: Embedding): Matrix {
  if (embedding === 'add') return formPairDistances(withoutConstant(query), key, numHeads);
  const grams = (side: Matrix) =>
    Array.from({ length: numHeads }, (_, head) => gram(headColumns(side, [head], headDim)));
  return sumLosses(subspacePairLosses(query, grams(key)), subspacePairLosses(key, grams(query)));
}

function withoutConstant({ rows, cols, data }: Matrix): Matrix {
  return { rows: rows - 1, cols, data: data.subarray(cols) };
}
