import type { Finding, FindOptions, FoundSite, SkippedSite } from '@mhe/core';
import { findAttention, groupCount } from '@mhe/core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { AttentionLayer } from '../layers/attention-layer.js';
import { MultiHeadEmbeddingAttention } from '../layers/multi-head-embedding-attention-layer.js';
import { listCalls } from '../layers-model/layer-calls.js';
import { type AttentionPlace, attentionPlace } from './attention-place.js';
import { readWeights } from './layer-weights.js';
import { layersView } from './layers-view.js';

/** The attention of a model of layers, with what a swap needs of each site. */
export interface LayerFinding extends Finding {
  readonly places: ReadonlyMap<FoundSite, AttentionPlace>;
  /** What has to be said of sites that share projections already, by their names. */
  readonly sharing: ReadonlyMap<string, string>;
}

/**
 * Finds the attention of a loaded model, in attention layers and in heads written as layers of their own. What cannot be
 * replaced is skipped.
 *
 * @throws RangeError where `numHeads` disagrees with the layers.
 */
export async function findLayerSites(model: LayersModel, options: FindOptions): Promise<LayerFinding> {
  const calls = listCalls(model);
  const { view, sources, outside } = layersView(model, calls, await readWeights(calls));
  const { found, skipped, notices } = findAttention(view, options);
  const sites: FoundSite[] = [];
  const places = new Map<FoundSite, AttentionPlace>();
  const left: SkippedSite[] = [...skipped, ...outside.map(({ call, reason }) => skip(call.name, reason))];
  for (const entry of found) {
    const place = attentionPlace(entry.block, sources, calls);
    if (typeof place === 'string') {
      left.push(skip(entry.site.name, place));
      continue;
    }
    const numbered = { ...entry, site: { ...entry.site, index: sites.length } };
    sites.push(numbered);
    places.set(numbered, place);
  }
  for (const { layer, name } of calls.calls) {
    if ('layer' in layer && layer.layer instanceof AttentionLayer) {
      left.push(skip(name, `it is inside ${layer.getClassName()}, which is not looked into`));
    }
  }
  const sharing = sites.filter((found) => sharesAlready(places.get(found)));
  const remarks = sharing.map(({ site: { name } }): [string, string] => [
    name,
    `${name} shares projections already; its figures before a swap are those of multi-head attention`,
  ]);
  return { found: sites, skipped: left, notices, places, sharing: new Map(remarks) };
}

/** Whether a site is MHE with fewer groups than heads. */
function sharesAlready(place: AttentionPlace | undefined): boolean {
  if (place?.kind !== 'layer' || !(place.layer instanceof MultiHeadEmbeddingAttention)) return false;
  const { queryKey, value } = place.layer.groups;
  return Math.min(groupCount(queryKey), groupCount(value)) < queryKey.length;
}

function skip(name: string, reason: string): SkippedSite {
  return { name, reason, nodes: [name] };
}
