import type { Groups } from '../swap/groups.js';
import { type AttentionDimensions, exactSize } from './dimensions.js';
import type { AttentionKind, AttentionKindName } from './kind.js';
import { countParameters, type ParameterCount, type ParameterOptions, subtractParameters } from './parameters.js';

/** What a comparison of all kinds needs to know. */
export interface KindsOptions extends AttentionDimensions, ParameterOptions {
  /** Of GQA. Default: {@link usualKeyValueHeads}. */
  readonly numKeyValueHeads?: number;
  /** Of MHE. Default 1. */
  readonly groups?: Groups;
}

/** Key/value heads that GQA models usually have: the largest divisor of the heads up to a quarter of them. */
export function usualKeyValueHeads(numHeads: number): number {
  exactSize('numHeads', numHeads);
  let heads = Math.max(1, Math.floor(numHeads / 4));
  while (numHeads % heads !== 0) heads--;
  return heads;
}

/** Every kind, with the options that it takes, in the order of `mha, sha, mqa, gqa, mhe-add, mhe-mul`. */
export function allKinds(options: KindsOptions): AttentionKind[] {
  const { numKeyValueHeads = usualKeyValueHeads(options.numHeads), groups = 1 } = options;
  return [
    { kind: 'mha' },
    { kind: 'sha' },
    { kind: 'mqa' },
    { kind: 'gqa', numKeyValueHeads },
    { kind: 'mhe-add', groups },
    { kind: 'mhe-mul', groups },
  ];
}

/** Parameters of every kind at the same sizes. */
export function countKinds(
  options: KindsOptions,
): { readonly kind: AttentionKindName; readonly parameters: ParameterCount }[] {
  return allKinds(options).map((kind) => ({ kind: kind.kind, parameters: countParameters({ ...options, ...kind }) }));
}

/** What one kind has more than another (less, where negative). */
export interface ParameterDifference {
  readonly kind: AttentionKindName;
  readonly reference: AttentionKindName;
  readonly parameters: ParameterCount;
}

/**
 * Each kind against what it should be compared with: what sharing saves is said against MHA, what head embeddings cost
 * against SHA. The paper's abstract gives `(3 n^2 - 3 n) d^2 - 3 n d` as MHA's excess over SHA; it is the excess over
 * MHE, and over SHA it is `(3 n^2 - 3 n) d^2`.
 */
export function parameterDifferences(options: KindsOptions): ParameterDifference[] {
  const counts = new Map(countKinds(options).map(({ kind, parameters }) => [kind, parameters]));
  const pairs: [AttentionKindName, AttentionKindName][] = [
    ['mha', 'sha'],
    ['mha', 'mqa'],
    ['mha', 'gqa'],
    ['mha', 'mhe-add'],
    ['mha', 'mhe-mul'],
    ['mhe-add', 'sha'],
    ['mhe-mul', 'sha'],
  ];
  return pairs.map(([kind, reference]) => ({
    kind,
    reference,
    parameters: subtractParameters(counts.get(kind) as ParameterCount, counts.get(reference) as ParameterCount),
  }));
}
