// Layers to train with.

// Attention found and swapped in LayersModels and GraphModels.
export {};
