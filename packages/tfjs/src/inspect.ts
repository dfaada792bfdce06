import type { Finding, FindOptions, Inspection } from '@mhe/core';
import { type AnyModel, toTfjsModel } from './file/live-model.js';
import { withLayers } from './layers-model/load-layers.js';
import { findGraphSites } from './view/find-graph-sites.js';
import { findLayerSites } from './view-layers/find-layer-sites.js';

/** Settings of {@link inspect}. */
export type InspectOptions = FindOptions;

/**
 * Finds the attention of a model, without running it: its sites, and what looks like attention and is left alone, with
 * the reason. Of a model of layers these are attention layers, and heads that are written as layers of their own.
 *
 * @throws RangeError where `numHeads` disagrees with the model.
 */
export async function inspect(model: AnyModel, options: InspectOptions = {}): Promise<Inspection> {
  const held = await toTfjsModel(model);
  if (held.format === 'graph-model') return inspectionOf(findGraphSites(held, options), []);
  const finding = await withLayers(held, (loaded) => findLayerSites(loaded, options));
  return inspectionOf(finding, finding.sharing.values());
}

function inspectionOf({ found, skipped, notices }: Finding, remarks: Iterable<string>): Inspection {
  return { attention: found.map(({ site }) => site), skipped, notices: [...notices, ...remarks] };
}
