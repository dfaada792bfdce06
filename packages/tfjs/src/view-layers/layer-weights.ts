import type { AttentionWeights } from '@mhe/core';
import type { LayerVariable } from '@tensorflow/tfjs-layers';
import { AttentionLayer } from '../layers/attention-layer.js';
import type { Layer } from '../layers/tfjs-layers.js';
import type { LayerCalls } from '../layers-model/layer-calls.js';
import { isProjection } from './projection-layers.js';

/** The numbers of a layer that projects: kernel `[inputDim, units]`. */
export interface ProjectionNumbers {
  readonly inputDim: number;
  readonly units: number;
  readonly kernel: Float64Array;
  readonly bias: Float64Array | null;
}

/** Numbers of a model's layers, copied out of the backend. */
export interface LayerWeights {
  readonly projections: ReadonlyMap<Layer, ProjectionNumbers>;
  readonly attention: ReadonlyMap<Layer, AttentionWeights>;
}

/** Reads the weights that the view looks into. */
export async function readWeights({ calls }: LayerCalls): Promise<LayerWeights> {
  const projections = new Map<Layer, ProjectionNumbers>();
  const attention = new Map<Layer, AttentionWeights>();
  for (const layer of new Set(calls.map((call) => call.layer))) {
    if (layer instanceof AttentionLayer) attention.set(layer, await layer.attentionWeights());
    else if (isProjection(layer)) projections.set(layer, await numbersOf(layer));
  }
  return { projections, attention };
}

async function numbersOf(layer: Layer): Promise<ProjectionNumbers> {
  const [kernel, bias] = layer.weights as [LayerVariable, LayerVariable?];
  const [inputDim, units] = kernel.shape.slice(-2) as [number, number];
  const read = async (variable: LayerVariable) => Float64Array.from(await variable.read().data());
  return { inputDim, units, kernel: await read(kernel), bias: bias ? await read(bias) : null };
}
