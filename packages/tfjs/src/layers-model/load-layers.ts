import { FormError } from '@mhe/core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { loadLayersModel } from '@tensorflow/tfjs-layers';
import type { TfjsModel } from '../file/model.js';
import { registerLayers } from '../layers/register-layers.js';
import { checkTopology } from './topology.js';

/**
 * Loads a model of layers into the current backend; the caller disposes of it.
 *
 * @throws Error where its configuration or its weights make no sense to TensorFlow.js, or hold a class that is not
 *   registered; FormError where a form cannot express an attention layer.
 */
export async function loadLayers(model: TfjsModel): Promise<LayersModel> {
  registerLayers();
  checkTopology(model);
  try {
    return await loadLayersModel(model);
  } catch (cause) {
    if (cause instanceof FormError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`TensorFlow.js cannot load ${model.name}: ${reason.trim().replace(/\s+/g, ' ')}`, { cause });
  }
}

/** Loads a model of layers, uses it and frees its memory, also where the use fails. */
export async function withLayers<R>(model: TfjsModel, use: (loaded: LayersModel) => Promise<R>): Promise<R> {
  const loaded = await loadLayers(model);
  try {
    return await use(loaded);
  } finally {
    loaded.dispose();
  }
}
