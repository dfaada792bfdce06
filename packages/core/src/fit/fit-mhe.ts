import { checkWeights } from '../attention/check-weights.js';
import { groupCount } from '../attention/head-groups.js';
import type { AttentionWeights, Embedding, FoldedMheWeights } from '../attention/weights.js';
import { checkMoments } from './check-moments.js';
import type { FitError } from './fit-error.js';
import type { FitGroups } from './groups.js';
import type { FitMoments, MomentName } from './moments.js';
import { createPace } from './pace.js';
import { queryKeyProjections } from './query-key-projections.js';
import { valueProjections } from './value-projections.js';

/** Where a fit stands, for a progress bar. */
export interface FitProgress {
  readonly stage: 'queryKey' | 'value';
  /** Counted from 0, of `groups`. */
  readonly group: number;
  readonly groups: number;
  /** Share of the group's energy that is left over so far. */
  readonly error: number;
}

/** Options of {@link fitMhe}. */
export interface FitOptions {
  /** Default 1: the paper's MHE. */
  readonly groups?: FitGroups;
  /** Default `mul`. */
  readonly embedding?: Embedding;
  /** What calibration inputs tell. Default: nothing, and the result says so. */
  readonly moments?: FitMoments;
  /** Whether rows may attend to no key at all, their probabilities being set to zero. Default false. */
  readonly emptyRows?: boolean;
  /** Of every random choice. Default 0. */
  readonly seed?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: FitProgress) => void;
}

/** A layer that shares projections, fitted to one that does not. */
export interface MheFit {
  readonly weights: FoldedMheWeights;
  /** Share of the scores' energy that is left out. */
  readonly queryKeyError: FitError;
  /** Share of the energy of the heads' outputs that is left out. */
  readonly valueError: FitError;
  /** Moments that the fit could have used and did not have: those sides are fitted data-free. */
  readonly withoutMoments: readonly MomentName[];
  /** Sweeps of alternating least squares, those of the search for a start included. */
  readonly sweeps: number;
}

/**
 * Fits MHE to pretrained multi-head attention: shared projections per group of heads and what tells the heads apart, in
 * closed form or by alternating least squares, without gradients (design, "From pretrained heads to shared projections").
 * Groups of one head keep that head's weights to the bit. Deterministic; yields to the event loop while it works.
 *
 * Afterwards `refitOutput` can mend part of what is left, given what the new heads compute.
 *
 * @throws RangeError when weights, groups or moments do not fit together; the signal's reason once it is aborted.
 */
export async function fitMhe(weights: AttentionWeights, options: FitOptions = {}): Promise<MheFit> {
  const { groups = 1, embedding = 'mul', moments = {}, emptyRows = false, seed = 0, signal, onProgress } = options;
  checkWeights(weights);
  checkMoments(weights, moments);
  const sharing = typeof groups === 'object' ? groups : { queryKey: groups, value: groups };
  const pace = createPace(signal);
  const report = (stage: FitProgress['stage']) => (group: number, count: number, error: number) =>
    onProgress?.({ stage, group, groups: count, error });
  const shared = { moments, seed, pace };
  const queryKey = await queryKeyProjections(weights, {
    ...shared,
    sharing: sharing.queryKey,
    embedding,
    onSweep: report('queryKey'),
  });
  const value = await valueProjections(weights, {
    ...shared,
    sharing: sharing.value,
    emptyRows,
    onGroup: report('value'),
  });
  return {
    weights: {
      numHeads: weights.numHeads,
      headDim: weights.headDim,
      valueHeadDim: weights.valueHeadDim,
      scale: weights.scale,
      groups: {
        ...(queryKey.queryGroups && { query: queryKey.queryGroups }),
        queryKey: queryKey.groups,
        value: value.groups,
      },
      query: queryKey.query,
      key: queryKey.key,
      value: value.value,
      output: value.output,
      queryGain: queryKey.queryGain,
      queryBias: queryKey.queryBias,
    },
    queryKeyError: queryKey.error,
    valueError: value.error,
    withoutMoments: missing(weights, moments, queryKey.groups, value.groups),
    sweeps: queryKey.sweeps,
  };
}

function missing(
  { keyValueGroups: own, rotary }: AttentionWeights,
  moments: FitMoments,
  queryKey: readonly number[],
  value: readonly number[],
): MomentName[] {
  const shares = (groups: readonly number[], own?: readonly number[]) =>
    groupCount(groups) < (own ? groupCount(own) : groups.length);
  const sides: MomentName[] = rotary ? ['query', 'keyInput'] : ['query', 'key'];
  const wanted = [
    ...(shares(queryKey, own?.queryKey) ? sides : []),
    ...(shares(value, own?.value) ? (['attended'] as const) : []),
  ];
  return wanted.filter((name) => !moments[name]);
}
