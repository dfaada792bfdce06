import type { AttentionBlock } from '@mhe/core';
import type { SymbolicTensor } from '@tensorflow/tfjs-layers';
import { AttentionLayer } from '../layers/attention-layer.js';
import { carriesMask, makesMask } from '../layers/carries-mask.js';
import type { Layer } from '../layers/tfjs-layers.js';
import type { LayerCall, LayerCalls } from '../layers-model/layer-calls.js';
import type { ViewSource } from './layers-view.js';
import { activationOf } from './projection-layers.js';

/** Where the attention of a site stands in a model of layers, and what replaces it. */
export type AttentionPlace = {
  /** The use whose first output is the block's; the new layer has its layer's name. */
  readonly output: LayerCall;
  /** Names of the models that it is in. */
  readonly models: readonly string[];
} & (
  | { readonly kind: 'layer'; readonly layer: AttentionLayer }
  /** Heads that are layers of their own. */
  | {
      readonly kind: 'heads';
      /** All layers that go: those of the heads, the one that joins them and the output projection. */
      readonly layers: readonly LayerCall[];
      /** One use of each projection, whose input is the stream. */
      readonly query: LayerCall;
      readonly key: LayerCall;
      readonly value: LayerCall;
      /** What is added to the scores: a use that adds it, and the place of the mask among its inputs. */
      readonly mask: { readonly call: LayerCall; readonly input: number } | null;
      /** Dropout of the probabilities. */
      readonly dropout: Layer | null;
    }
);

/** The place of a site, or why it cannot be replaced, as a sentence. */
export function attentionPlace(
  block: AttentionBlock,
  sources: ReadonlyMap<string, ViewSource>,
  calls: LayerCalls,
): AttentionPlace | string {
  const source = sources.get(block.chain.softmax.source);
  if (!source) return 'its softmax belongs to no layer';
  if (source.kind === 'layer') {
    const { call } = source;
    const { layer } = call;
    if (!(layer instanceof AttentionLayer)) return 'it has a single head: there is nothing to share';
    if (calls.uses(layer) > 1) return 'its layer is used in several places, which share its weights';
    return { kind: 'layer', layer, output: call, models: call.path.slice(0, -1) };
  }
  return writtenPlace(block, sources, calls, source.heads.join, [...source.heads.calls]);
}

function writtenPlace(
  block: AttentionBlock,
  sources: ReadonlyMap<string, ViewSource>,
  calls: LayerCalls,
  join: LayerCall,
  ownCalls: readonly LayerCall[],
): AttentionPlace | string {
  const callsOf = (name: string): readonly LayerCall[] => {
    const source = sources.get(name);
    return source === undefined ? [] : source.kind === 'layer' ? [source.call] : source.calls;
  };
  const [query, key, value] = [block.query, block.key, block.value].map(({ traced }) => traced.projection.node.source);
  const projections = [query, key, value].map((name) => callsOf(name as string));
  const [output] = callsOf(block.output.product.source);
  if (!output || projections.some(([first]) => !first)) return 'one of its projections belongs to no layer';
  const between = block.output.layout.find((node) => node.source !== join.name);
  if (between) return `${between.source} stands between its heads and its output projection`;
  if (activationOf(output.layer) !== 'linear') return `its output projection ${output.name} has an activation`;
  const own = projections.flat();
  const stray = [...own, output].find((call) => call.level !== join.level || calls.uses(call.layer) > 1);
  if (stray) return `its layer ${stray.name} is used in several places, which share its weights`;
  const common = own.find((call) => !ownCalls.includes(call));
  if (common) return `its layer ${common.name} serves several heads, which share a projection already`;
  const streams = own.map((call) => call.inputs[0] as SymbolicTensor);
  if (streams.some((stream) => stream.rank !== 3)) return 'its inputs have other axes than [batch, length, features]';
  // A mask comes into a model in the model unseen.
  const mayBeMasked = output.path.length > 1 && calls.calls.some(({ layer }) => makesMask(layer));
  if (mayBeMasked || streams.some(carriesMask)) {
    return 'its inputs may come with a Keras mask, which its layers ignore and an attention layer would not';
  }
  const unlike = unlikeSetting([...own, output]);
  if (unlike) return `its layers differ in ${unlike}, and an attention layer has one for all`;

  const probabilitySteps = new Set(block.chain.after.flatMap(({ node }) => callsOf(node.source)));
  const dropouts = ownCalls.filter(({ layer }) => layer.getClassName() === 'Dropout');
  const odd = dropouts.find((call) => !probabilitySteps.has(call)) ?? dropouts[block.numHeads];
  if (odd) return `its dropout ${odd.name} is not the only one, or is not that of the probabilities`;

  const [added, ...others] = block.chain.before.filter(({ step }) => step.kind !== 'scale' && step.kind !== 'layout');
  const other = others[0] ?? (added?.step.kind === 'add' ? undefined : added);
  if (other) return `its scores pass through ${other.node.source}`;
  const isTurned = block.chain.softmaxAxis !== 3 || block.chain.before.some(({ step }) => step.kind === 'layout');
  if (added && isTurned) return `its mask ${added.node.source} has other axes than [batch, queries, keys]`;
  const mask = added ? maskOf(callsOf(added.node.source), join) : null;
  if (added && !mask) return `what ${added.node.source} adds to its scores is no tensor that all heads share`;
  return {
    kind: 'heads',
    output,
    models: output.path.slice(0, -1),
    layers: [...ownCalls, join, output],
    query: projections[0]?.[0] as LayerCall,
    key: projections[1]?.[0] as LayerCall,
    value: projections[2]?.[0] as LayerCall,
    mask,
    dropout: dropouts[0]?.layer ?? null,
  };
}

/** The input of an addition that all heads share. */
function maskOf([first, second]: readonly LayerCall[], join: LayerCall) {
  if (!first || !second || first.layer.getClassName() !== 'Add' || first.level !== join.level) return null;
  const input = first.inputs.findIndex((symbol, i) => symbol === second.inputs[i]);
  return input >= 0 && first.inputs.length === 2 && first.inputs[input]?.rank === 3 ? { call: first, input } : null;
}

/** A setting that all projections must have in common, and that one has unlike the others. */
function unlikeSetting(calls: readonly LayerCall[]): string | undefined {
  const configs = calls.map(({ layer }) => layer.getConfig());
  return ['trainable', 'kernelRegularizer', 'biasRegularizer', 'kernelConstraint', 'biasConstraint'].find(
    (name) => new Set(configs.map((config) => JSON.stringify(config[name] ?? null))).size > 1,
  );
}
