import type { AttentionSite, Finding, FindOptions, FoundSite, SwapBackend, SwapOptions } from '@mhe/core';
import type { TfjsModel } from '../file/model.js';
import { disposeLayers, loadLayers } from '../layers-model/load-layers.js';
import { layersInputs, layersInputUse } from '../layers-model/model-inputs.js';
import { graphInputUse } from '../run/graph-input-use.js';
import type { HostTensors } from '../run/host-tensor.js';
import { type ModelInput, modelInputs } from '../run/model-inputs.js';
import type { InputUse } from '../run/synthetic-values.js';
import { findGraphSites } from '../view/find-graph-sites.js';
import { findLayerSites } from '../view-layers/find-layer-sites.js';
import type { RunWatch } from './frontier.js';
import { GraphSwapBackend } from './graph-backend.js';
import { LayersSwapBackend } from './layers-backend.js';

/** What a swap needs of a model, whatever its format. */
export interface SwapSource {
  readonly finding: Finding;
  readonly inputs: readonly ModelInput[];
  /** What the model does with its inputs, which made-up ones depend on. */
  inputUse(): (input: ModelInput) => InputUse;
  /** What has to be said of a site that was swapped. */
  remark(site: AttentionSite): string | undefined;
  /** Makes the backend for some of the sites. */
  start(chosen: readonly FoundSite[], feeds: readonly HostTensors[], watch: RunWatch): SwapBackend<TfjsModel>;
  /** Frees what the source holds in the backend of TensorFlow.js. */
  dispose(): void;
}

/** Opens a model for a swap. The caller disposes of it. */
export async function openSource(
  model: TfjsModel,
  find: FindOptions,
  { groups = 1 }: Pick<SwapOptions<never>, 'groups'>,
): Promise<SwapSource> {
  if (model.format === 'graph-model') {
    return {
      finding: findGraphSites(model, find),
      inputs: modelInputs(model),
      inputUse: () => graphInputUse(model),
      remark: () => undefined,
      start: (chosen, feeds, watch) => new GraphSwapBackend(model, chosen, { feeds, watch }),
      dispose: () => {},
    };
  }
  const loaded = await loadLayers(model);
  try {
    const finding = await findLayerSites(loaded, find);
    return {
      finding,
      inputs: layersInputs(loaded),
      inputUse: () => layersInputUse(loaded),
      remark: ({ name }) => finding.sharing.get(name),
      start: (chosen, feeds, watch) => new LayersSwapBackend(model, loaded, finding, chosen, { feeds, watch, groups }),
      dispose: () => disposeLayers(loaded),
    };
  } catch (error) {
    disposeLayers(loaded);
    throw error;
  }
}
