import type { AttentionBlock, BlockCache, FoldedMheWeights } from '@mhe/core';
import { groupCount } from '@mhe/core';
import type { NodeProto, ValueInfoProto } from 'onnx-buf';
import { constantNodeTensor } from '../graph/constant-tensor.js';
import { edit } from '../graph/edit.js';
import { withDim } from '../graph/value-info.js';
import type { HostTensor } from '../run/host-tensor.js';
import { earlierPositions } from './earlier-positions.js';
import type { Frontier } from './frontier.js';

/** A cache of a block and the heads that it has with some weights. */
interface SizedCache {
  readonly cache: BlockCache;
  readonly heads: number;
}

function sizedCaches({ key, value }: AttentionBlock, { groups }: FoldedMheWeights): readonly SizedCache[] {
  return [
    ...(key.cache ? [{ cache: key.cache, heads: groupCount(groups.queryKey) }] : []),
    ...(value.cache ? [{ cache: value.cache, heads: groupCount(groups.value) }] : []),
  ];
}

/**
 * Makes sure that no calibration input brings earlier keys or values: those of the original are not what the swapped
 * model would have kept.
 *
 * @throws RangeError naming the input.
 */
export function checkEmptyCaches({ key, value }: AttentionBlock, values: Frontier): void {
  for (const { cache } of [key, value]) {
    if (!cache || cache.past === null) continue;
    const { past } = cache;
    for (const [i, entry] of values.entries()) {
      const length = entry[past]?.dims[cache.axes.indexOf('sequence')] ?? 0;
      if (length > 0) throw earlierPositions(`calibration input ${i + 1}`, past);
    }
  }
}

/** The inputs with caches, all empty, of as many heads as the weights have. */
export function withCachesOf(block: AttentionBlock, weights: FoldedMheWeights, values: Frontier): Frontier {
  const caches = sizedCaches(block, weights);
  if (caches.length === 0) return values;
  return values.map((entry) => {
    const resized = caches.flatMap(({ cache: { past, axes }, heads }): [string, HostTensor][] => {
      const earlier = past === null ? undefined : entry[past];
      const axis = axes.indexOf('head');
      if (past === null || !earlier || earlier.dims[axis] === heads) return [];
      return [[past, { ...earlier, dims: earlier.dims.with(axis, heads) }]];
    });
    return { ...entry, ...Object.fromEntries(resized) };
  });
}

/** Nodes of a graph, the constants that stand for caches without positions as if made with as many heads as the weights have. */
export function emptyCaches(
  block: AttentionBlock,
  weights: FoldedMheWeights,
  nodes: readonly NodeProto[],
): readonly NodeProto[] {
  const caches = sizedCaches(block, weights);
  return nodes.map((node) => {
    const tensor = constantNodeTensor(node);
    const found = caches.find(({ cache }) => isCalled(cache, node.output[0] ?? ''));
    if (!found || !tensor?.dims.includes(0n)) return node;
    const dims = tensor.dims.with(found.cache.axes.indexOf('head'), BigInt(found.heads));
    const attribute = node.attribute.map((each) => (each.t ? edit(each, { t: edit(each.t, { dims }) }) : each));
    return edit(node, { attribute });
  });
}

function isCalled({ past, joined, present }: BlockCache, name: string): boolean {
  return past === name || joined === name || present.includes(name);
}

/** Inputs or outputs of a graph, those that are caches of the block declared with as many heads as the weights have. */
export function declaredCaches(
  block: AttentionBlock,
  weights: FoldedMheWeights,
  infos: readonly ValueInfoProto[],
): ValueInfoProto[] {
  const caches = sizedCaches(block, weights);
  return infos.map((info) => {
    const found = caches.find(({ cache }) => isCalled(cache, info.name));
    if (!found) return info;
    return withDim(info, found.cache.axes.indexOf('head'), { case: 'dimValue', value: BigInt(found.heads) });
  });
}
