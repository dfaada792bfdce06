import type { Layer } from '../layers/tfjs-layers.js';

/** Whether a layer multiplies features by one matrix: Dense, or a convolution that looks at one position at a time. */
export function isProjection(layer: Layer): boolean {
  const name = layer.getClassName();
  if (name === 'Dense') return true;
  if (name !== 'Conv1D') return false;
  const config = layer.getConfig();
  const isOne = (value: unknown) => [value].flat().every((size) => size === 1 || size == null);
  return (
    isOne(config.kernelSize) &&
    isOne(config.strides) &&
    isOne(config.dilationRate) &&
    config.dataFormat !== 'channelsFirst'
  );
}

/** The activation that a layer ends with; `linear` where it has none. */
export function activationOf(layer: Layer): string {
  const { activation } = layer.getConfig();
  return typeof activation === 'string' ? activation : 'linear';
}
