import type { FoldedMheWeights } from '@mhe/core';
import type { GraphProto, NodeProto, ValueInfoProto } from 'onnx-buf';
import { edit } from '../graph/edit.js';
import type { OnnxModel } from '../graph/model.js';
import { declaredCaches, emptyCaches } from '../swap/block-caches.js';
import type { PairedSite } from './pair-sites.js';

/** Sites and the weights that they have now. */
export type SizedSites = readonly {
  readonly pair: PairedSite;
  readonly replacement: { readonly weights: FoldedMheWeights };
}[];

/**
 * A model whose caches are declared with as many heads as the new weights have, and so are the empty ones that a branch
 * gives in the place of caches that it does not hand on.
 */
export function withCacheShapes(model: OnnxModel, sites: SizedSites): OnnxModel {
  const graph = model.proto.graph as GraphProto;
  const blocks = sites.flatMap(({ pair, replacement: { weights } }) =>
    [pair.first, pair.later].map((block) => ({ block, weights })),
  );
  const declared = (infos: readonly ValueInfoProto[]) =>
    blocks.reduce<ValueInfoProto[]>((list, { block, weights }) => declaredCaches(block, weights, list), [...infos]);
  const node = blocks.reduce<readonly NodeProto[]>(
    (nodes, { block, weights }) => emptyCaches(block, weights, nodes),
    graph.node,
  );
  const changed = edit(graph, { input: declared(graph.input), output: declared(graph.output), node: [...node] });
  return { ...model, proto: edit(model.proto, { graph: changed }) };
}
