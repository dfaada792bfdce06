import { groupCount, headsByGroup } from '../attention/head-groups.js';
import { firstOfEach } from '../attention/identity.js';
import type { AttentionWeights, Projection } from '../attention/weights.js';
import type { Matrix } from '../float64/matrix.js';
import { combineErrors, type FitError } from './fit-error.js';
import { groupHeads } from './group-heads.js';
import { type HeadSharing, resolveGroups } from './groups.js';
import { lazy } from './lazy.js';
import type { FitMoments } from './moments.js';
import type { Pace } from './pace.js';
import { subspacePairLosses } from './pair-losses.js';
import { joinHeadRows, joinProjections } from './parts.js';
import { outputGrams, valueEnergies } from './value.js';
import { sharedValueHeads, singleValueHead, type ValueGroup } from './value-group.js';
import { valueProblem } from './value-problem.js';

/** The value and output side of folded MHE weights. */
export interface ValueProjections {
  readonly groups: readonly number[];
  readonly value: Projection;
  readonly output: Projection;
  readonly error: FitError;
}

/** What decides the fit. */
export interface ValueProjectionOptions {
  readonly sharing: HeadSharing;
  readonly moments: FitMoments;
  readonly emptyRows: boolean;
  readonly seed: number;
  readonly pace: Pace;
  readonly onGroup: (group: number, groups: number, error: number) => void;
}

/** Groups the heads and fits each group's value projection; a group of one head keeps that head as it is. */
export async function valueProjections(
  weights: AttentionWeights,
  { sharing, moments, emptyRows, seed, pace, onGroup }: ValueProjectionOptions,
): Promise<ValueProjections> {
  const own = weights.keyValueGroups?.value;
  if (own && (sharing === 'heads' || sharing === groupCount(own))) {
    const { output, valueHeadDim } = weights;
    return {
      groups: own,
      value: firstOfEach(weights.value, own, valueHeadDim),
      output,
      error: { overall: 0, perGroup: [] },
    };
  }
  const problem = lazy(() => valueProblem(weights, moments, emptyRows));
  const grams = lazy(() => outputGrams(problem().forms));
  const groups = resolveGroups('value', sharing, weights.numHeads, (count) =>
    groupHeads(subspacePairLosses(problem().forms.value, grams()), count),
  );
  const members = headsByGroup(groups);
  const parts: ValueGroup[] = [];
  for (const [group, heads] of members.entries()) {
    await pace();
    const [head] = heads as [number, ...number[]];
    const part = heads.length === 1 ? singleValueHead(weights, head) : sharedValueHeads(problem(), heads, seed);
    parts.push(part);
    onGroup(group, members.length, part.error);
  }
  return {
    groups,
    value: joinProjections(parts.map((part) => part.value)),
    output: {
      weight: joinHeadRows(parts, weights.valueHeadDim, 0) as Matrix,
      bias: shifted(weights.output, parts),
    },
    error: combineErrors(
      parts.map((part) => part.error),
      groups,
      () => valueEnergies(problem().forms, grams()),
    ),
  };
}

function shifted({ weight, bias }: Projection, parts: readonly ValueGroup[]): Float64Array | null {
  const shifts = parts.flatMap(({ shift }) => (shift ? [shift] : []));
  if (shifts.length === 0) return bias;
  const start = bias ?? new Float64Array(weight.cols);
  return start.map((x, c) => shifts.reduce((sum, shift) => sum + (shift[c] as number), x));
}
