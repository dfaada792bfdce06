import {
  type AttentionComputation,
  type AttentionKind,
  allKinds,
  countBytes,
  countCacheBytesPerToken,
  countOperations,
  countParameters,
  countScoreBytes,
  type DataType,
  type KindsOptions,
  type OperationCount,
  type ParameterCount,
} from '@mhe/core';

/** What to count. */
export interface CostOptions extends KindsOptions {
  /** Number format of weights, cache and scores. */
  readonly type: DataType;
  /** Tokens of a sequence, for what depends on them. */
  readonly sequenceLength?: number;
}

/** What one kind of attention costs, in all layers. */
export interface KindCosts {
  readonly computation: AttentionComputation;
  readonly parameters: ParameterCount;
  readonly bytes: bigint;
  readonly cacheBytesPerToken: bigint;
  /** Where a sequence length was given. */
  readonly atLength?: {
    readonly operations: OperationCount;
    /** Of one layer. */
    readonly scoreBytes: bigint;
  };
}

/** The costs of every kind at the same sizes, MHE in its fastest form: MUL folded, ADD factorised. */
export function countCosts(options: CostOptions): KindCosts[] {
  const { sequenceLength: queries, type } = options;
  return allKinds(options).map((kind) => {
    const computation = inFastestForm(kind);
    const sized = { ...options, ...computation };
    const parameters = countParameters(sized);
    const costs = {
      computation,
      parameters,
      bytes: countBytes(parameters.total, type),
      cacheBytesPerToken: countCacheBytesPerToken(sized),
    };
    if (queries === undefined) return costs;
    const all = countOperations({ ...sized, queries });
    const operations = options.output === false ? withoutOutput(all) : all;
    return { ...costs, atLength: { operations, scoreBytes: countScoreBytes({ ...sized, queries }) } };
  });
}

function withoutOutput(operations: OperationCount): OperationCount {
  return { ...operations, output: 0n, total: operations.total - operations.output };
}

function inFastestForm(kind: AttentionKind): AttentionComputation {
  if (kind.kind === 'mhe-mul') return { ...kind, kind: kind.kind, form: 'folded' };
  if (kind.kind === 'mhe-add') return { ...kind, kind: kind.kind, form: 'factorised' };
  return kind as AttentionComputation;
}
