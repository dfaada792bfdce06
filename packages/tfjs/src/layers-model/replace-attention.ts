import type { Embedding, FoldedMheWeights } from '@mhe/core';
import { unfoldMhe } from '@mhe/core';
import type { TfjsModel } from '../file/model.js';
import type { LayerForm } from '../layers/attention-form.js';
import { MultiHeadEmbeddingAttention } from '../layers/multi-head-embedding-attention-layer.js';
import type { AttentionPlace } from '../view-layers/attention-place.js';
import { attentionWeights, commonType, isOfOptimizer, storedWeights } from './layer-weights.js';
import type { LayerEntry, TensorReference } from './topology.js';
import { entryName, withEntries } from './topology.js';

/** What attention becomes. */
export interface LayerReplacement {
  readonly weights: FoldedMheWeights;
  readonly embedding: Embedding;
  readonly form: LayerForm;
  /** How matrices are stored: as they were, which may quantise the new ones, or in float32. */
  readonly stored: 'as before' | 'float32';
}

/**
 * A model of layers with the attention of one place in a MultiHeadEmbeddingAttention layer. The layer has the name of the
 * one that made the output before, so that everything else reads as it did.
 *
 * @throws FormError where the embedding cannot express the weights.
 */
export function replaceAttention(model: TfjsModel, place: AttentionPlace, replacement: LayerReplacement): TfjsModel {
  const { weights, embedding, form } = replacement;
  const mhe = unfoldMhe(weights, embedding);
  const useBias = [mhe.query, mhe.key, mhe.value, mhe.output].some(({ bias }) => bias !== null);
  const { layer } = place.output;
  const settings = {
    num_heads: mhe.numHeads,
    head_dim: mhe.headDim,
    value_head_dim: mhe.valueHeadDim,
    groups: { query_key: mhe.groups.queryKey, value: mhe.groups.value },
    embedding,
    scale: mhe.scale,
    use_bias: useBias,
    form,
  };
  const modelTopology = withEntries(model.fields.modelTopology, place.models, (entries) =>
    place.kind === 'layer'
      ? entries.map((entry) => (entryName(entry) === layer.name ? attentionEntry(entry, settings) : entry))
      : withoutHeads(entries, place, settings),
  );
  const gone = new Set(goingLayers(place).flatMap((going) => storedWeights(model, going)));
  const stored = replacement.stored === 'float32' ? null : commonType([...gone]);
  const kept = model.weights.filter((weight) => !gone.has(weight) && !isOfOptimizer(weight.spec));
  const added = attentionWeights(layer.name, mhe, useBias, stored);
  return model.with({ modelTopology, weights: [...kept, ...added] });
}

function goingLayers(place: AttentionPlace) {
  return place.kind === 'layer' ? [place.layer] : place.layers.map(({ layer }) => layer);
}

/** The entry of an attention layer as one of MHE, with all its other settings. */
function attentionEntry(entry: LayerEntry, settings: object): LayerEntry {
  const { key_dim: _key, keyDim: _camel, value_dim: _value, valueDim: _other, ...rest } = entry.config;
  const config = Object.fromEntries(Object.entries(rest).filter(([name]) => !(snakeCase(name) in settings)));
  return { ...entry, class_name: MultiHeadEmbeddingAttention.className, config: { ...config, ...settings } };
}

function snakeCase(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** The entries with one attention layer for all layers of some heads. */
function withoutHeads(
  entries: readonly LayerEntry[],
  place: AttentionPlace & { readonly kind: 'heads' },
  settings: object,
): readonly LayerEntry[] {
  const byName = new Map(entries.map((entry) => [entryName(entry), entry]));
  const reference = (name: string, input: number): TensorReference => {
    const found = byName.get(name)?.inbound_nodes?.[0]?.[input];
    if (!found) throw new Error(`${name}: the topology does not say what it reads`);
    const [layer, use, output] = found;
    return [layer, use, output, {}];
  };
  const [query, value, key] = [place.query, place.value, place.key].map(({ layer }) => reference(layer.name, 0));
  const mask = place.mask ? [reference(place.mask.call.layer.name, place.mask.input)] : [];
  const { layer } = place.output;
  const own = byName.get(layer.name) as LayerEntry;
  const taken = [
    'trainable',
    'dtype',
    'kernel_initializer',
    'bias_initializer',
    'kernel_regularizer',
    'bias_regularizer',
  ];
  const kept = [...taken, 'kernel_constraint', 'bias_constraint'].flatMap((name) => {
    const setting = own.config[name];
    return setting === undefined ? [] : [[name, setting]];
  });
  const config = {
    name: layer.name,
    ...Object.fromEntries(kept),
    ...settings,
    output_shape: place.output.outputs[0]?.shape.at(-1),
    dropout: place.dropout?.getConfig().rate ?? 0,
    ...(place.mask && { mask_kind: 'additive' }),
  };
  const entry: LayerEntry = {
    class_name: MultiHeadEmbeddingAttention.className,
    name: layer.name,
    config,
    inbound_nodes: [[query, value, key, ...mask] as TensorReference[]],
  };
  const gone = new Set(place.layers.map(({ layer }) => layer.name));
  return entries.flatMap((old) => (entryName(old) === layer.name ? [entry] : gone.has(entryName(old)) ? [] : [old]));
}
