import type { SymbolicTensor } from '@tensorflow/tfjs-layers';
import { LayersModel } from '@tensorflow/tfjs-layers';
import type { Layer } from '../layers/tfjs-layers.js';

/** One use of a layer in a model. */
export interface LayerCall {
  readonly layer: Layer;
  /** Names of the models that the layer is in, from the outermost, then its own. */
  readonly path: readonly string[];
  /** The path as one name, unlike that of any other use. */
  readonly name: string;
  /** The model that the use stands in. */
  readonly level: Level;
  readonly inputs: readonly SymbolicTensor[];
  readonly outputs: readonly SymbolicTensor[];
}

/** A model, or a model in a model, as it is used in one place. */
export interface Level {
  readonly model: LayersModel;
  /** Names of its tensors, unlike any other's of the whole model. */
  readonly ids: Map<SymbolicTensor, string>;
  readonly calls: Map<SymbolicTensor, LayerCall>;
}

/** A model taken apart into the uses of its layers, models in it too. */
export interface LayerCalls {
  /** Every use after those that it reads from. */
  readonly calls: readonly LayerCall[];
  readonly top: Level;
  /** How often a layer is used. */
  uses(layer: Layer): number;
}

/** Lists what a model computes. */
export function listCalls(model: LayersModel): LayerCalls {
  const calls: LayerCall[] = [];
  const counts = new Map<Layer, number>();
  const taken = new Set<string>();
  const unique = (name: string) => {
    let free = name;
    for (let i = 1; taken.has(free); i++) free = `${name}#${i}`;
    taken.add(free);
    return free;
  };

  const walk = (inner: LayersModel, path: readonly string[], bound: readonly string[] | null) => {
    const level: Level = { model: inner, ids: new Map(), calls: new Map() };
    inner.inputs.forEach((symbol, i) => {
      level.ids.set(symbol, bound?.[i] ?? unique([...path, symbol.sourceLayer.name].join('/')));
    });
    for (const symbol of inOrder(inner)) {
      const { sourceLayer: layer, nodeIndex } = symbol;
      const node = layer.inboundNodes[nodeIndex];
      if (!node) throw new Error(`${layer.name}: the model does not say where it is used`);
      const { inputTensors: inputs, outputTensors: outputs } = node;
      const own = [...path, layer.name];
      const name = unique(own.join('/'));
      const call = { layer, path: own, name, level, inputs, outputs };
      counts.set(layer, (counts.get(layer) ?? 0) + 1);
      if (layer instanceof LayersModel) {
        const made = walk(
          layer,
          own,
          inputs.map((input) => level.ids.get(input) as string),
        );
        outputs.forEach(
          (output, i) => void level.ids.set(output, made.ids.get(layer.outputs[i] as SymbolicTensor) as string),
        );
        continue;
      }
      outputs.forEach((output, i) => {
        level.ids.set(output, i === 0 ? name : `${name}:${i}`);
        level.calls.set(output, call);
      });
      calls.push(call);
    }
    return level;
  };
  const top = walk(model, [], null);
  return { calls, top, uses: (layer) => counts.get(layer) ?? 0 };
}

/** One tensor of every use in a model that its outputs need, its own inputs left out. */
function inOrder(model: LayersModel): SymbolicTensor[] {
  const ordered: SymbolicTensor[] = [];
  const seen = new Set<unknown>(model.inputs.map(({ sourceLayer, nodeIndex }) => sourceLayer.inboundNodes[nodeIndex]));
  const open = [...model.outputs].reverse().map((symbol) => ({ symbol, isReady: false }));
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    const node = at.symbol.sourceLayer.inboundNodes[at.symbol.nodeIndex];
    if (at.isReady) {
      ordered.push(at.symbol);
      continue;
    }
    if (seen.has(node)) continue;
    seen.add(node);
    open.push({ ...at, isReady: true });
    for (const symbol of [...(node?.inputTensors ?? [])].reverse()) open.push({ symbol, isReady: false });
  }
  return ordered;
}
