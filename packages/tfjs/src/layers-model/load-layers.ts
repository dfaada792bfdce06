import { FormError } from '@mhe/core';
import { dispose, engine, io } from '@tensorflow/tfjs-core';
import { LayersModel, loadLayersModel } from '@tensorflow/tfjs-layers';
import type { TfjsModel } from '../file/model.js';
import { registerLayers } from '../layers/register-layers.js';
import type { Layer } from '../layers/tfjs-layers.js';
import { isOfOptimizer } from './layer-weights.js';
import { checkTopology, layerNames, withoutInitializers } from './topology.js';

/**
 * Loads a model of layers into the current backend to look at and to run; {@link disposeLayers} frees it. It is not
 * compiled and has no initializers. What fails leaves nothing in the backend.
 *
 * @throws Error where its configuration or its weights make no sense to TensorFlow.js, or hold a class that is not
 *   registered; FormError where a form cannot express an attention layer.
 */
export async function loadLayers(model: TfjsModel): Promise<LayersModel> {
  registerLayers();
  checkTopology(model);
  const { modelTopology } = model.fields;
  const before = new Set(Object.keys(engine().state.registeredVariables));
  try {
    const loaded = await loadLayersModel(io.fromMemory({ modelTopology: withoutInitializers(modelTopology) }));
    const held = model.with({ weights: model.weights.filter(({ spec }) => !isOfOptimizer(spec)) });
    const { weightData, weightSpecs } = held.artifacts();
    const weights = io.decodeWeights(weightData as ArrayBuffer, weightSpecs as io.WeightsManifestEntry[]);
    try {
      loaded.loadWeights(weights);
    } finally {
      dispose(weights);
    }
    return loaded;
  } catch (cause) {
    const names = new Set(layerNames(modelTopology));
    for (const [name, variable] of Object.entries(engine().state.registeredVariables)) {
      if (!before.has(name) && names.has(name.split('/')[0] as string)) variable.dispose();
    }
    if (cause instanceof FormError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`TensorFlow.js cannot load ${model.name}: ${reason.trim().replace(/\s+/g, ' ')}`, { cause });
  }
}

/** Frees a model that {@link loadLayers} loaded; `LayersModel.dispose` leaves layers that are used twice. */
export function disposeLayers(model: LayersModel, freed = new Set<Layer>()): void {
  for (const layer of model.layers) {
    if (freed.has(layer)) continue;
    freed.add(layer);
    if (layer instanceof LayersModel) disposeLayers(layer, freed);
    else while (layer.dispose().refCountAfterDispose > 0);
  }
}

/** Loads a model of layers, uses it and frees its memory, also where the use fails. */
export async function withLayers<R>(model: TfjsModel, use: (loaded: LayersModel) => Promise<R>): Promise<R> {
  const loaded = await loadLayers(model);
  try {
    return await use(loaded);
  } finally {
    disposeLayers(loaded);
  }
}
