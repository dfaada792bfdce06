import type { SiteCache, SwapReport } from '@mhe/core';
import type { GraphProto, ValueInfoProto } from 'onnx-buf';
import { edit } from '../graph/edit.js';
import type { OnnxModel } from '../graph/model.js';
import { readInstead } from '../graph/read-instead.js';
import { withDim } from '../graph/value-info.js';
import { builderFor } from './replace-block.js';

/** A cache of a swapped model, and what is known of its size. */
interface SizedCache extends SiteCache {
  readonly heads: number;
  readonly features: number;
}

/**
 * Makes a swapped decoder take empty caches of any number of heads, beside those that it hands on itself: for callers that
 * make the first, empty cache of the heads that a configuration tells, as transformers.js does. The axis of heads of each
 * cache that comes in is declared open, and a `Reshape` behind it gives an empty cache the swapped heads; one that holds
 * positions passes it as it is, without a copy. The caches that go out are unchanged.
 *
 * @param model - a swapped model, whose caches are of as many heads as it has groups.
 * @param report - of that swap: it names the caches. Those of attention that was left alone stay as they are.
 * @returns the model itself where no swapped attention has caches.
 */
export function acceptEmptyCaches(model: OnnxModel, { swapped }: Pick<SwapReport, 'swapped'>): OnnxModel {
  const caches = new Map(swapped.flatMap(sizedCaches).map((cache) => [cache.past, cache]));
  const graph = model.proto.graph as GraphProto;
  if (!graph.input.some(({ name }) => caches.has(name))) return model;
  const builder = builderFor(model, 'float32', 'mhe/empty-caches');
  const reshaped = new Map(
    [...caches.values()].map((cache) => {
      const shape = builder.integers(shapeOf(cache), 'shape');
      return [cache.past, builder.node('Reshape', [cache.past, shape])] as const;
    }),
  );
  const edited = edit(graph, {
    node: [...builder.nodes, ...graph.node.map((node) => readInstead(node, reshaped))],
    initializer: [...graph.initializer, ...builder.initializers],
    input: graph.input.map((input) => withOpenHeads(input, caches.get(input.name))),
  });
  return { ...model, proto: edit(model.proto, { graph: edited }) };
}

function sizedCaches({ site, groups }: SwapReport['swapped'][number]): readonly SizedCache[] {
  const { key, value } = site.cache ?? {};
  return [
    ...(key ? [{ ...key, heads: groups.queryKey, features: site.headDim }] : []),
    ...(value ? [{ ...value, heads: groups.value, features: site.valueHeadDim }] : []),
  ];
}

/** As `Reshape` reads it: 0 keeps an axis, and -1 takes what is left, which is nothing in an empty cache. */
function shapeOf({ axes, heads, features }: SizedCache): number[] {
  const sizes = { batch: 0, head: heads, sequence: -1, feature: features };
  return axes.map((axis) => sizes[axis]);
}

function withOpenHeads(info: ValueInfoProto, cache: SizedCache | undefined): ValueInfoProto {
  if (!cache) return info;
  return withDim(info, cache.axes.indexOf('head'), { case: 'dimParam', value: `${info.name}_heads` });
}
