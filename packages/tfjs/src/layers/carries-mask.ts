import type { SymbolicTensor } from '@tensorflow/tfjs-layers';

/** Layers that make a mask from their input; `supportsMasking` of an Embedding is its `maskZero`. */
const origins = ['Embedding', 'Masking'];

/** Whether a tensor of a functional model may come with a Keras mask, by the layers that it comes from. */
export function carriesMask(symbol: SymbolicTensor): boolean {
  const { sourceLayer } = symbol;
  if (!sourceLayer.supportsMasking) return false;
  if (origins.includes(sourceLayer.getClassName())) return true;
  return symbol.inputs.some(carriesMask);
}
