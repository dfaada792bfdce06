import type { SymbolicTensor } from '@tensorflow/tfjs-layers';
import type { Layer } from './tfjs-layers.js';

/** Layers that make a mask from their input; `supportsMasking` of an Embedding is its `maskZero`. */
const origins = ['Embedding', 'Masking'];

/** Whether a layer makes a Keras mask. */
export function makesMask(layer: Layer): boolean {
  return layer.supportsMasking && origins.includes(layer.getClassName());
}

/** Whether a tensor of a functional model may come with a Keras mask, by the layers that it comes from. */
export function carriesMask(symbol: SymbolicTensor): boolean {
  // Ways through a deep model are many more than its layers: each is taken once.
  const seen = new Set<SymbolicTensor>([symbol]);
  for (const { sourceLayer, inputs } of seen) {
    if (makesMask(sourceLayer)) return true;
    if (sourceLayer.supportsMasking) for (const input of inputs) seen.add(input);
  }
  return false;
}
