import { serialization } from '@tensorflow/tfjs-core';
import { CarryMask } from './carry-mask.js';
import { joinCallInputs } from './keras-model.js';
import { MultiHeadAttention } from './multi-head-attention-layer.js';
import { MultiHeadEmbeddingAttention } from './multi-head-embedding-attention-layer.js';

const attentionLayers = [MultiHeadAttention, MultiHeadEmbeddingAttention];

/** Classes of functional models, in Keras and in tfjs. */
const modelClasses = ['Functional', 'Model'];

let registered = false;

/**
 * Lets `tf.loadLayersModel` load models with the layers of this package, and Keras models with MultiHeadAttention. Call
 * it before loading; making a layer does it too. Calling it again does nothing.
 */
export function registerLayers(): void {
  if (registered) return;
  registered = true;
  for (const layer of [...attentionLayers, CarryMask]) serialization.registerClass(layer as never);
  const { classNameMap } = serialization.SerializationMap.getMap();
  for (const name of modelClasses) {
    const entry = classNameMap[name];
    if (!entry) throw new Error(`tfjs-layers has no class '${name}'; take @tensorflow/tfjs-layers 4`);
    const [cls, fromConfig] = entry;
    const names = attentionLayers.map((layer) => layer.className);
    classNameMap[name] = [cls, (model, config, ...rest) => fromConfig(model, joinCallInputs(config, names), ...rest)];
  }
}
