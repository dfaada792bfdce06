import type { MheWeights } from '@mhe/core';
import type { StoredType } from '../file/encode-weight.js';
import { encodeFloats, storedType } from '../file/encode-weight.js';
import type { StoredWeight, TfjsModel } from '../file/model.js';
import type { Layer } from '../layers/tfjs-layers.js';

/** The weights that a model stores for a layer, whatever older Keras versions put into their names. */
export function storedWeights(model: TfjsModel, layer: Layer): StoredWeight[] {
  const names = new Set(layer.weights.map(({ originalName }) => originalName));
  return model.weights.filter(({ spec }) => names.has(spec.name) || names.has(withoutCell(spec.name)));
}

/** tfjs takes `layer/cell/weight` for `layer/weight` too (`Container.loadWeights`). */
function withoutCell(name: string): string {
  const parts = name.split('/');
  return [...parts.slice(0, -2), ...parts.slice(-1)].join('/');
}

/** Whether a stored weight is an optimizer's, whose variables are others after a swap. */
export function isOfOptimizer(spec: object): boolean {
  return 'group' in spec && spec.group === 'optimizer';
}

/** How matrices are stored that are stored alike; `null`, in float32, where they are not. */
export function commonType(weights: readonly StoredWeight[]): StoredType {
  const types = weights.filter(({ spec }) => spec.shape.length > 1).map(({ spec }) => storedType(spec));
  return types.every((type) => type === types[0]) ? (types[0] ?? null) : null;
}

/** The weights of a MultiHeadEmbeddingAttention layer of this name, under the names that it gives them. */
export function attentionWeights(
  layer: string,
  weights: MheWeights,
  useBias: boolean,
  stored: StoredType,
): readonly StoredWeight[] {
  const { numHeads, headDim, valueHeadDim, query, key, value, output } = weights;
  const count = (cols: number, size: number) => cols / size;
  const store = (name: string, shape: readonly number[], values: Float64Array, type: StoredType = null) =>
    encodeFloats(`${layer}/${name}`, shape, values, type);
  const projection = (name: string, { weight, bias }: typeof query, shape: readonly number[]) => [
    store(`${name}/kernel`, shape, weight.data, stored),
    ...(useBias ? [store(`${name}/bias`, biasShape(name, shape), bias ?? new Float64Array(weight.cols))] : []),
  ];
  return [
    ...projection('query', query, [query.weight.rows, count(query.weight.cols, headDim), headDim]),
    ...projection('key', key, [key.weight.rows, count(key.weight.cols, headDim), headDim]),
    ...projection('value', value, [value.weight.rows, count(value.weight.cols, valueHeadDim), valueHeadDim]),
    store('query/embedding', [numHeads, headDim], weights.queryEmbedding.data),
    store('key/embedding', [numHeads, headDim], weights.keyEmbedding.data),
    store('value/embedding', [numHeads, valueHeadDim], weights.valueEmbedding.data),
    ...projection('attention_output', output, [numHeads, valueHeadDim, output.weight.cols]),
  ];
}

function biasShape(name: string, kernel: readonly number[]): readonly number[] {
  return kernel.slice(name === 'attention_output' ? 2 : 1);
}
