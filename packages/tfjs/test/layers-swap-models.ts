// Models of layers whose attention has given weights, in every style that tfjs-layers can express.
import { type AttentionWeights, disguiseHeads, expandMhe, type Matrix, type Projection, seededRandom } from '@mhe/core';
import { multiHeadAttention, multiHeadEmbeddingAttention } from '@mhe/tfjs';
import { type Tensor, tensor, tidy } from '@tensorflow/tfjs-core';
import { input, type LayersModel, layers, model, type SymbolicTensor } from '@tensorflow/tfjs-layers';

type Layer = InstanceType<typeof layers.Layer>;

export const numHeads = 4;
const headDim = 5;
export const valueHeadDim = 6;

/** Names of the streams' widths; the streams of self-attention are one. */
export const widths = { query: 8, key: 9, value: 9 };

function matrix(rows: number, cols: number, seed: number): Matrix {
  const random = seededRandom(seed);
  // Float32 values, so that models hold these very numbers.
  return { rows, cols, data: Float64Array.from({ length: rows * cols }, () => Math.fround(0.5 * random.normal())) };
}

/** MHE of one group written out as multi-head attention, every head in a random basis of its own. */
export function plantedHeads({
  self = false,
  biases = true,
  embedding = 'mul' as 'mul' | 'add',
} = {}): AttentionWeights {
  const projection = (rows: number, cols: number, seed: number): Projection => ({
    weight: matrix(rows, cols, seed),
    bias: biases ? matrix(1, cols, seed + 50).data : null,
  });
  const group = new Array<number>(numHeads).fill(0);
  const memory = self ? widths.query : widths.key;
  const planted = expandMhe({
    ...{ numHeads, headDim, valueHeadDim, embedding, scale: headDim ** -0.5 },
    groups: { queryKey: group, value: group },
    query: projection(widths.query, headDim, 1),
    key: projection(memory, headDim, 2),
    value: projection(memory, valueHeadDim, 3),
    output: projection(numHeads * valueHeadDim, widths.query, 4),
    queryEmbedding: matrix(numHeads, headDim, 5),
    keyEmbedding: matrix(numHeads, headDim, 6),
    valueEmbedding: matrix(numHeads, valueHeadDim, 7),
  });
  return disguiseHeads(planted, 8);
}

/** How attention is written. */
export interface Style {
  readonly name: string;
  readonly self: boolean;
  readonly biases: boolean;
  /** Puts the attention into a model; `fill` gives layers their weights once they are built. */
  attend(streams: readonly SymbolicTensor[], weights: AttentionWeights, fill: Fill): SymbolicTensor;
}

/** Notes the weights of a layer, kernels and biases in its order; `null` biases are left out. */
export type Fill = (layer: Layer, ...weights: readonly (Projection | null)[]) => void;

/** The columns of one head. */
function headOf({ weight, bias }: Projection, head: number, size: number): Projection {
  const start = head * size;
  const data = new Float64Array(weight.rows * size);
  for (let row = 0; row < weight.rows; row++) {
    data.set(weight.data.subarray(row * weight.cols + start, row * weight.cols + start + size), row * size);
  }
  return { weight: { rows: weight.rows, cols: size, data }, bias: bias?.slice(start, start + size) ?? null };
}

/** Ways to write heads as layers of their own. */
interface Written {
  /** The projection of one head. */
  readonly project?: (units: number, useBias: boolean) => Layer;
  /** Where the scale is: a layer of its own, or the weights of the queries. */
  readonly scale?: 'layer' | 'query layer' | 'weights';
  readonly softmax?: () => Layer;
  /** Whether scores are computed as keys times queries, and permuted for the softmax and back after it. */
  readonly keysFirst?: boolean;
  readonly dropout?: number;
  /** Keys transposed by a layer of their own before the product. */
  readonly permuted?: boolean;
  /** What is added to the scores. */
  readonly mask?: SymbolicTensor;
}

export function writtenHeads(
  [query, value = query as SymbolicTensor, key = value]: readonly SymbolicTensor[],
  weights: AttentionWeights,
  fill: Fill,
  how: Written = {},
): SymbolicTensor {
  const useBias = weights.query.bias !== null;
  const { project = (units, useBias) => layers.dense({ units, useBias }), scale = 'layer' } = how;
  const softmax = how.softmax ?? (() => layers.activation({ activation: 'softmax' }));
  const apply = (layer: Layer, from: SymbolicTensor | SymbolicTensor[]) => layer.apply(from) as SymbolicTensor;
  const scaling = () => layers.rescaling({ scale: weights.scale });
  const heads = Array.from({ length: weights.numHeads }, (_, head) => {
    const projected = (stream: SymbolicTensor, projection: Projection, size: number, factor = 1) => {
      const layer = project(size, useBias);
      const output = apply(layer, stream);
      const own = headOf(projection, head, size);
      const times = (values: Float64Array) => values.map((x) => x * factor);
      fill(layer, { weight: { ...own.weight, data: times(own.weight.data) }, bias: own.bias && times(own.bias) });
      return output;
    };
    const inWeights = scale === 'weights' ? weights.scale : 1;
    let q = projected(query as SymbolicTensor, weights.query, weights.headDim, inWeights);
    if (scale === 'query layer') q = apply(scaling(), q);
    const k = projected(key, weights.key, weights.headDim);
    const v = projected(value, weights.value, weights.valueHeadDim);
    let scores = how.keysFirst
      ? apply(layers.dot({ axes: 2 }), [k, q])
      : how.permuted
        ? apply(layers.dot({ axes: [2, 1] }), [q, apply(layers.permute({ dims: [2, 1] }), k)])
        : apply(layers.dot({ axes: -1 }), [q, k]);
    if (scale === 'layer') scores = apply(scaling(), scores);
    if (how.keysFirst) scores = apply(layers.permute({ dims: [2, 1] }), scores);
    if (how.mask) scores = apply(layers.add(), [scores, how.mask]);
    let probabilities = apply(softmax(), scores);
    if (how.dropout) probabilities = apply(layers.dropout({ rate: how.dropout }), probabilities);
    if (how.keysFirst) probabilities = apply(layers.permute({ dims: [2, 1] }), probabilities);
    return apply(layers.dot({ axes: how.keysFirst ? [1, 1] : [2, 1] }), [probabilities, v]);
  });
  const joined = apply(layers.concatenate({ axis: -1 }), heads);
  const output = layers.dense({ units: weights.output.weight.cols, useBias });
  const result = apply(output, joined);
  fill(output, weights.output);
  return result;
}

const written = (name: string, how: Written, more: Partial<Style> = {}): Style => ({
  name: `heads of their own, ${name}`,
  self: false,
  biases: true,
  attend: (streams, weights, fill) => writtenHeads(streams, weights, fill, how),
  ...more,
});

/** Attention in a layer, as this package and Keras have it. */
function attentionLayer(streams: readonly SymbolicTensor[], weights: AttentionWeights, fill: Fill): SymbolicTensor {
  const useBias = weights.query.bias !== null;
  const layer = multiHeadAttention({ numHeads, keyDim: headDim, valueDim: valueHeadDim, useBias, dropout: 0.1 });
  const output = layer.apply([...streams]) as SymbolicTensor;
  fill(layer, weights.query, weights.key, weights.value, weights.output);
  return output;
}

/** MHE with a group for every head. */
function embeddingLayer(streams: readonly SymbolicTensor[], weights: AttentionWeights, fill: Fill): SymbolicTensor {
  const layer = multiHeadEmbeddingAttention({ numHeads, headDim, valueHeadDim, groups: 'heads' });
  const output = layer.apply([...streams]) as SymbolicTensor;
  const zeros = (size: number): Projection => ({
    weight: { rows: numHeads, cols: size, data: new Float64Array(numHeads * size) },
    bias: null,
  });
  const embeddings = [zeros(headDim), zeros(headDim), zeros(valueHeadDim)];
  fill(layer, weights.query, weights.key, weights.value, ...embeddings, weights.output);
  return output;
}

export const styles: readonly Style[] = [
  { name: 'MultiHeadAttention', self: false, biases: true, attend: attentionLayer },
  { name: 'MultiHeadAttention without biases', self: true, biases: false, attend: attentionLayer },
  { name: 'MultiHeadEmbeddingAttention of a group a head', self: false, biases: true, attend: embeddingLayer },
  written('scaled scores', {}),
  written('self-attention without biases', { scale: 'weights' }, { self: true, biases: false }),
  written('queries scaled, keys permuted, dropout', { scale: 'query layer', permuted: true, dropout: 0.2 }),
  written('keys before queries', { keysFirst: true }),
  written('convolutions and Softmax layers', {
    project: (units, useBias) => layers.conv1d({ filters: units, kernelSize: 1, useBias }),
    softmax: () => layers.softmax({ axis: -1 }),
  }),
];

/** A model around attention: tokens of width 8 in, `memory` for the keys; a residual, a norm, a head. */
export function modelOf(
  { self, attend }: Pick<Style, 'self' | 'attend'>,
  weights: AttentionWeights,
  more: readonly SymbolicTensor[] = [],
): LayersModel {
  const query = input({ shape: [null, widths.query], name: 'tokens' });
  const memory = input({ shape: [null, widths.key], name: 'memory' });
  const notes: { readonly layer: Layer; readonly weights: readonly (Projection | null)[] }[] = [];
  const attended = attend(self ? [query] : [query, memory], weights, (layer, ...given) =>
    notes.push({ layer, weights: given }),
  );
  const sum = layers.add().apply([query, attended]) as SymbolicTensor;
  const normed = layers.layerNormalization({ name: 'norm' }).apply(sum) as SymbolicTensor;
  const outputs = layers.dense({ units: 3, name: 'head' }).apply(normed) as SymbolicTensor;
  const inputs = [query, ...(self ? [] : [memory]), ...more];
  const built = model({ inputs, outputs, name: 'planted' });
  for (const note of notes) setLayer(note.layer, note.weights);
  return built;
}

function setLayer(layer: Layer, projections: readonly (Projection | null)[]): void {
  tidy(() => {
    const numbers = projections.flatMap((one) => (one ? [one.weight.data, ...(one.bias ? [one.bias] : [])] : []));
    layer.setWeights(
      layer
        .getWeights()
        .map(({ shape }, i) => tensor(Float32Array.from(numbers[i] as Float64Array), shape)) as Tensor[],
    );
  });
}

/** Random inputs of a model of this file, as feeds and as tensors. */
export function feedsOf(
  built: LayersModel,
  count: number,
  seed = 11,
): Record<string, { data: Float32Array; dims: number[] }>[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, (_, i) =>
    Object.fromEntries(
      built.inputs.map(({ sourceLayer, shape }) => {
        const dims = [2, sourceLayer.name === 'tokens' ? 5 + (i % 3) : 7, shape.at(-1) as number];
        const data = Float32Array.from({ length: dims.reduce((a, b) => a * b) }, () => random.normal());
        return [sourceLayer.name, { data, dims }];
      }),
    ),
  );
}

export function tensorsOf(built: LayersModel, feed: Record<string, { data: Float32Array; dims: number[] }>): Tensor[] {
  return built.inputs.map(({ sourceLayer }) => {
    const { data, dims } = feed[sourceLayer.name] as { data: Float32Array; dims: number[] };
    return tensor(data, dims);
  });
}
