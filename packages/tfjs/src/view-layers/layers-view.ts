import type { GraphView, ShapeRule, ViewInput, ViewNode } from '@mhe/core';
import type { LayersModel, SymbolicTensor } from '@tensorflow/tfjs-layers';
import { AttentionLayer } from '../layers/attention-layer.js';
import { carriesMask } from '../layers/carries-mask.js';
import type { Shape } from '../layers/tfjs-layers.js';
import type { LayerCall, LayerCalls } from '../layers-model/layer-calls.js';
import type { AttentionEnds } from './attention-nodes.js';
import { attentionObstacle, writeAttention } from './attention-nodes.js';
import type { LayerStep, StepInput } from './layer-step.js';
import type { LayerWeights } from './layer-weights.js';
import type { HeadTensors, ParallelHeads } from './parallel-heads.js';
import { parallelHeads } from './parallel-heads.js';
import { stepTranslators } from './step-translators.js';
import { ViewWriter } from './view-writer.js';

/** What a name of a view's nodes stands for: a use of a layer, or the same step of every head. */
export type ViewSource =
  | { readonly kind: 'layer'; readonly call: LayerCall }
  | { readonly kind: 'heads'; readonly calls: readonly LayerCall[]; readonly heads: ParallelHeads };

/** A model's layers as the finder reads them. */
export interface LayersView {
  readonly view: GraphView;
  readonly sources: ReadonlyMap<string, ViewSource>;
  /** Attention layers that have no place in the view, with the reason. */
  readonly outside: readonly { readonly call: LayerCall; readonly reason: string }[];
}

/**
 * Reads the layers of a model as the finder's view. An attention layer becomes the products that it is; heads that are
 * layers of their own become one computation with an axis of heads.
 */
export function layersView(model: LayersModel, calls: LayerCalls, weights: LayerWeights): LayersView {
  return new ViewBuilder(model, calls, weights).build();
}

class ViewBuilder {
  private readonly nodes: ViewNode[] = [];
  private readonly sources = new Map<string, ViewSource>();
  private readonly outside: { readonly call: LayerCall; readonly reason: string }[] = [];

  constructor(
    private readonly model: LayersModel,
    private readonly calls: LayerCalls,
    private readonly weights: LayerWeights,
  ) {}

  build(): LayersView {
    const joined = this.calls.calls.flatMap((call) => parallelHeads(call, this.calls) ?? []);
    const inHeads = new Set(joined.flatMap(({ calls }) => [...calls]));
    const joins = new Map(joined.map((heads) => [heads.join, heads]));
    for (const call of this.calls.calls) {
      const heads = joins.get(call);
      if (heads) this.writeHeads(heads);
      else if (!inHeads.has(call)) this.writeLayer(call);
    }
    const { top } = this.calls;
    const view = {
      nodes: this.nodes,
      inputs: this.model.inputs.map((symbol) => viewInput(symbol, top.ids.get(symbol) as string)),
      outputs: this.model.outputs.map((symbol) => top.ids.get(symbol) as string),
      declared: new Map(),
    };
    return { view, sources: this.sources, outside: this.outside };
  }

  private writeLayer(call: LayerCall): void {
    const { layer, name, level, inputs, outputs } = call;
    const writer = this.writer(name, { kind: 'layer', call });
    const ids = inputs.map((input) => level.ids.get(input) as string);
    const [output] = outputs.map((symbol) => level.ids.get(symbol) as string) as [string];
    if (layer instanceof AttentionLayer) {
      const reason = attentionObstacle(call);
      const weights = this.weights.attention.get(layer);
      if (reason === null && weights) {
        writeAttention(writer, weights, attentionEnds(call));
        this.nodes.push(...writer.nodes);
        return;
      }
      this.outside.push({ call, reason: reason ?? 'it has no weights' });
    }
    const stepInputs = ids.map((id, i) => ({ id, perHead: false, rank: inputs[i]?.rank ?? 0 }));
    const step: LayerStep = { calls: [call], inputs: stepInputs, weights: this.weights, writer };
    const value = outputs.length === 1 ? stepTranslators[layer.getClassName()]?.(step) : undefined;
    if (value !== undefined) writer.name(value, output);
    this.nodes.push(...(value === undefined ? [this.opaque(call, ids)] : writer.nodes));
  }

  /** A layer that the finder needs no meaning of; it tells the sizes of what it makes. */
  private opaque({ layer, name, level, outputs }: LayerCall, inputs: readonly string[]): ViewNode {
    const shapes: ShapeRule = (known) => {
      const none = outputs.map(() => undefined);
      if (known.some((dims) => dims === undefined)) return none;
      try {
        const given = known.map((dims) => [...(dims as readonly number[])]);
        const made = layer.computeOutputShape(given.length === 1 ? (given[0] as Shape) : given);
        const list = (Array.isArray(made[0]) ? made : [made]) as Shape[];
        return outputs.map((_, i) => (list[i]?.every((size) => size !== null) ? (list[i] as number[]) : undefined));
      } catch {
        // A size that the model would refuse too: nothing is known of the result.
        return none;
      }
    };
    const operator = { kind: 'opaque', name: layer.getClassName(), shapes } as const;
    return { operator, inputs, outputs: outputs.map((symbol) => level.ids.get(symbol) as string), source: name };
  }

  /** Heads of an axis of their own, then side by side as the Concatenate layer puts them. */
  private writeHeads(heads: ParallelHeads): void {
    const written = new Map<HeadTensors, StepInput>();
    const { join } = heads;
    const write = (tensors: HeadTensors): StepInput => {
      const known = written.get(tensors);
      if (known) return known;
      const [symbol] = tensors.symbols;
      const { made } = tensors;
      if (!made) return { id: join.level.ids.get(symbol) as string, perHead: false, rank: symbol.rank };
      const inputs = made.inputs.map(write);
      const [firstCall, lastCall] = [made.calls[0], made.calls.at(-1) as LayerCall];
      const writer = this.writer(`${firstCall.name}…${lastCall.name}`, { kind: 'heads', calls: made.calls, heads });
      const step: LayerStep = { calls: made.calls, inputs, weights: this.weights, writer };
      const value = stepTranslators[firstCall.layer.getClassName()]?.(step);
      const id =
        value ??
        writer.node(
          { kind: 'opaque', name: firstCall.layer.getClassName(), shapes: null },
          inputs.map(({ id }) => id),
        );
      this.nodes.push(...writer.nodes);
      const result = { id, perHead: true, rank: symbol.rank };
      written.set(tensors, result);
      return result;
    };
    const value = write(heads.heads);
    const writer = this.writer(join.name, { kind: 'heads', calls: [join], heads });
    const apart = writer.node({ kind: 'transpose', permutation: [0, 2, 1, 3] }, [value.id]);
    const width = join.outputs[0]?.shape.at(-1) ?? -1;
    const together = writer.node({ kind: 'reshape', zeroIsSize: false }, [apart, writer.sizes([0, 0, width])]);
    writer.name(together, join.level.ids.get(join.outputs[0] as SymbolicTensor) as string);
    this.nodes.push(...writer.nodes);
  }

  private writer(name: string, source: ViewSource): ViewWriter {
    this.sources.set(name, source);
    return new ViewWriter(name);
  }
}

/** The tensors of a use of an attention layer. */
function attentionEnds({ layer, level, inputs, outputs }: LayerCall): AttentionEnds {
  const [query, value = query, key = value, mask] = inputs as [SymbolicTensor, ...SymbolicTensor[]];
  const id = (symbol: SymbolicTensor) => level.ids.get(symbol) as string;
  const isMasked =
    mask !== undefined || (layer as AttentionLayer).hidesLaterKeys || [query, value, key].some(carriesMask);
  return {
    query: id(query),
    value: id(value),
    key: id(key),
    mask: mask?.rank === 4 && mask.shape[1] !== 1 ? 'per head' : isMasked ? 'all heads' : 'none',
    output: id(outputs[0] as SymbolicTensor),
    scores: outputs[1] ? id(outputs[1]) : null,
  };
}

function viewInput({ shape, dtype }: SymbolicTensor, id: string): ViewInput {
  const type = dtype === 'bool' ? 'boolean' : dtype === 'int32' ? 'integer' : dtype === 'float32' ? 'float' : 'other';
  // The inputs of a model have one batch size.
  return { id, type, dims: shape.map((size, axis) => size ?? (axis === 0 ? 'batch' : null)) };
}
