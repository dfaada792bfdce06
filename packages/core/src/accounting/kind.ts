import type { Groups } from '../swap/groups.js';
import { type ExactDimensions, exactSize } from './dimensions.js';

/**
 * A kind of attention, by what its heads share.
 * - `mha`: nothing (Vaswani et al. 2017).
 * - `sha`: all three projections. The paper's single-head attention: one head whose context stands for every head's, so
 *   its output projection is as large as the others', and MHE is SHA and embeddings.
 * - `mqa`: keys and values, among all heads (Shazeer 2019).
 * - `gqa`: keys and values, in `numKeyValueHeads` groups (Ainslie et al. 2023).
 * - `mhe-add`, `mhe-mul`: all three projections, in groups, and three vectors for each head (Xue & Aletras 2023).
 */
export type AttentionKind =
  | { readonly kind: 'mha' | 'sha' | 'mqa' }
  | { readonly kind: 'gqa'; readonly numKeyValueHeads: number }
  /** Default groups: 1, the paper's MHE. */
  | { readonly kind: 'mhe-add' | 'mhe-mul'; readonly groups?: Groups };

/** The name of a kind. */
export type AttentionKindName = AttentionKind['kind'];

/** How many projections of one head's width a kind has for each role. */
export interface ProjectionBlocks {
  readonly query: bigint;
  readonly key: bigint;
  readonly value: bigint;
}

/**
 * How many blocks of `headDim` or `valueHeadDim` columns the projections have.
 *
 * @throws RangeError when there are more groups than heads, or key/value heads that do not divide the heads.
 */
export function projectionBlocks(kind: AttentionKind, { numHeads }: ExactDimensions): ProjectionBlocks {
  switch (kind.kind) {
    case 'mha':
      return { query: numHeads, key: numHeads, value: numHeads };
    case 'sha':
      return { query: 1n, key: 1n, value: 1n };
    case 'mqa':
      return { query: numHeads, key: 1n, value: 1n };
    case 'gqa': {
      const shared = exactSize('numKeyValueHeads', kind.numKeyValueHeads);
      if (numHeads % shared !== 0n) {
        throw new RangeError(`numKeyValueHeads ${shared} does not divide numHeads ${numHeads}`);
      }
      return { query: numHeads, key: shared, value: shared };
    }
    case 'mhe-add':
    case 'mhe-mul': {
      const { groups = 1 } = kind;
      const { queryKey, value } = typeof groups === 'object' ? groups : { queryKey: groups, value: groups };
      const queryKeyGroups = groupsOf('groups.queryKey', queryKey, numHeads);
      return { query: queryKeyGroups, key: queryKeyGroups, value: groupsOf('groups.value', value, numHeads) };
    }
  }
}

function groupsOf(name: string, count: number | 'heads', numHeads: bigint): bigint {
  const groups = count === 'heads' ? numHeads : exactSize(name, count);
  if (groups > numHeads) throw new RangeError(`${name} is ${groups}, more than the ${numHeads} heads`);
  return groups;
}
