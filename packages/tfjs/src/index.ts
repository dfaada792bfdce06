// Layers to train with.

// Core's tensor port over tfjs tensors.
export { tfjsPort } from './port/tfjs-port.js';

// Attention found and swapped in LayersModels and GraphModels.
