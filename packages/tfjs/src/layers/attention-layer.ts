import type { AttentionWeights, ScoreRules } from '@mhe/core';
import { engine, reshape, type serialization, type Tensor, type Tensor3D, tidy } from '@tensorflow/tfjs-core';
import { type LayerVariable, layers, SymbolicTensor } from '@tensorflow/tfjs-layers';
import { requireKernels } from '../port/require-kernels.js';
import { type AttentionAxes, attentionAxes } from './attention-axes.js';
import type { AttentionLayerArgs } from './attention-layer-args.js';
import { maskRule } from './attention-mask.js';
import { attentionRules } from './attention-rules.js';
import { type AttentionStreams, listStreams, readStreams } from './attention-streams.js';
import { type AttentionCallArgs, keepCallArgsFresh, type RememberedArgs, rememberedArgs } from './call-args.js';
import { carriesMask } from './carries-mask.js';
import { withCarriedMask } from './carry-mask.js';
import { kerasMasks } from './keras-masks.js';
import { observerOf } from './observed-calls.js';
import { type ProjectionVariables, projectOutput } from './projections.js';
import { type StreamDims, type StreamShapes, streamDims, streamShapes } from './stream-shapes.js';
import type { Shape } from './tfjs-layers.js';
import { constraint, initializer, regularizer, serialized, type VariableRules } from './weight-options.js';

/** What a call computes with, beside the layer's weights. */
export interface AttentionCall {
  readonly streams: { readonly query: Tensor3D; readonly value: Tensor3D; readonly key: Tensor3D };
  /** Mask, dropout, and noting the probabilities where they are wanted; no scale. */
  readonly rules: ScoreRules<Tensor>;
  readonly dropping: boolean;
  readonly scoresWanted: boolean;
}

/** What the uses of a layer in functional models agree on. */
interface Remembered extends RememberedArgs {
  /** Whether the query comes with a Keras mask. */
  readonly masked: boolean;
}

/**
 * What the attention layers share: inputs, masks, dropout, shapes, configuration.
 *
 * Inputs are `[batch, length, features]`: `apply(query)` for self-attention, `apply([query, value])` or
 * `apply([query, value, key])` for cross-attention, or by name, `apply(query, { value, key, attentionMask })`.
 *
 * Keras masks of query, value and key hide keys, and the query's goes on with the output. In a functional model they
 * come from Embedding layers with `maskZero` and from Masking layers; a single `mask` given by hand for a list of
 * inputs then counts only where the model has a mask for the query.
 */
export abstract class AttentionLayer extends layers.Layer {
  protected readonly numHeads: number;
  protected readonly dropoutRate: number;
  protected readonly useBias: boolean;
  private readonly kernelRules: VariableRules;
  private readonly biasRules: VariableRules;
  private readonly seed: number | null;
  private readonly outputDims: readonly number[] | null;
  private readonly axes: readonly number[] | null;
  private shapes: StreamShapes | null = null;
  private dims: StreamDims | null = null;
  private remembered: Remembered | null = null;
  private drops = 0;
  private outputs = 1;

  constructor(args: AttentionLayerArgs) {
    super(args);
    this.supportsMasking = true;
    this.numHeads = this.wholeNumber('numHeads', args.numHeads);
    this.dropoutRate = args.dropout ?? 0;
    if (!(this.dropoutRate >= 0 && this.dropoutRate < 1)) {
      throw new Error(`${this.name}: dropout must be from 0 up to 1, got ${args.dropout}`);
    }
    this.seed = args.seed ?? null;
    this.useBias = args.useBias ?? true;
    this.outputDims = args.outputShape == null ? null : [args.outputShape].flat();
    for (const size of this.outputDims ?? []) this.wholeNumber('outputShape', size);
    this.axes = args.attentionAxes == null ? null : [args.attentionAxes].flat();
    if ('activityRegularizer' in args && args.activityRegularizer != null) {
      throw new Error(`${this.name}: tfjs cannot regularise activities; leave activityRegularizer out`);
    }
    this.kernelRules = {
      initializer: initializer(args.kernelInitializer ?? 'glorotUniform'),
      regularizer: regularizer(args.kernelRegularizer),
      constraint: constraint(args.kernelConstraint),
    };
    this.biasRules = {
      initializer: initializer(args.biasInitializer ?? 'zeros'),
      regularizer: regularizer(args.biasRegularizer),
      constraint: constraint(args.biasConstraint),
    };
  }

  /** Adds the layer's weights. */
  protected abstract addWeights(dims: StreamDims, outputDims: readonly number[]): void;

  /** The heads' outputs, `[batch, queries, numHeads, valueHeadDim]`. */
  protected abstract attend(call: AttentionCall): Tensor;

  /** Makes the output of the heads' outputs. */
  protected abstract readonly attentionOutput: ProjectionVariables;

  /**
   * The weights as of now, with a projection of its own for every head.
   *
   * @throws Error before the layer is built.
   */
  abstract attentionWeights(): Promise<AttentionWeights>;

  /** Whether every call hides later keys. */
  protected get causal(): boolean {
    return false;
  }

  /** Whether an attention mask is added to the scores instead of saying what a query may see. */
  protected get addsMask(): boolean {
    return false;
  }

  /** Whether queries see no later key wherever the layer is used: by its own setting, or as its uses in models ask. */
  get hidesLaterKeys(): boolean {
    return this.causal || this.remembered?.useCausalMask === true;
  }

  override build(inputShape: Shape | Shape[]): void {
    const shapes = streamShapes(inputShape);
    this.checkedAxes(shapes);
    const dims = streamDims(this.name, shapes);
    try {
      this.addWeights(dims, this.outputDims ?? [dims.query]);
    } catch (error) {
      for (const weight of this.weights) weight.dispose();
      throw error;
    }
    this.shapes = shapes;
    this.dims = dims;
    super.build(inputShape);
  }

  override apply(
    inputs: Tensor | Tensor[] | SymbolicTensor | SymbolicTensor[],
    args: AttentionCallArgs = {},
  ): Tensor | Tensor[] | SymbolicTensor | SymbolicTensor[] {
    const streams = readStreams<Tensor | SymbolicTensor>(this.name, inputs, args);
    const list = listStreams(streams);
    if (list.every((stream) => stream instanceof SymbolicTensor)) {
      return this.connect(streams as AttentionStreams<SymbolicTensor>, args);
    }
    // In a model without a mask here, tfjs leaves an earlier layer's mask in the arguments.
    const stale = Array.isArray(inputs) && this.remembered?.masked === false && !Array.isArray(args.mask);
    const { value: _value, key: _key, attentionMask: _mask, ...rest } = args;
    return super.apply(list as Tensor[], stale ? { ...rest, mask: null } : rest);
  }

  /** Makes a use of the layer in a functional model. What is no tensor is remembered, as tfjs does not hand it on. */
  private connect(
    streams: AttentionStreams<SymbolicTensor>,
    args: AttentionCallArgs,
  ): SymbolicTensor | SymbolicTensor[] {
    const { query, value, key, attentionMask } = streams;
    const remembered = { ...rememberedArgs(args), masked: carriesMask(query) };
    const before = this.remembered;
    if (before && JSON.stringify(before) !== JSON.stringify(remembered)) {
      const uses = `${JSON.stringify(before)} and ${JSON.stringify(remembered)}`;
      throw new Error(`${this.name}: the uses of a layer in a model must agree, got ${uses}; take a layer for each`);
    }
    const name = `${this.name}_${this.inboundNodes.length}`;
    const carriedValue = value === query ? value : withCarriedMask(value, `${name}_value_mask`);
    const carriedKey = key === value ? carriedValue : key === query ? key : withCarriedMask(key, `${name}_key_mask`);
    const list = listStreams({ query, value: carriedValue, key: carriedKey, attentionMask });
    this.remembered = remembered;
    try {
      // Of a list of one, tfjs takes the batch size for the shape where the layer has an inputShape.
      const inputs = list.length === 1 ? query : list;
      const outputs = super.apply(inputs, rememberedArgs(args)) as SymbolicTensor | SymbolicTensor[];
      keepCallArgsFresh(this);
      return outputs;
    } catch (error) {
      this.remembered = before;
      throw error;
    }
  }

  override call(inputs: Tensor | Tensor[], args: AttentionCallArgs): Tensor | Tensor[] {
    return tidy(() => {
      const streams = readStreams(this.name, inputs, args);
      const { query, value, key, attentionMask } = streams;
      const { training, useCausalMask, returnAttentionScores } = { ...this.remembered, ...rememberedArgs(args) };
      requireKernels(this.name, training || engine().state.gradientDepth > 0 ? 'training' : 'inference');
      const axes = this.checkedAxes({ query: query.shape, value: value.shape, key: key.shape });
      const folded = { query: axes.fold(query), value: axes.fold(value), key: axes.fold(key) };
      const masks = {
        ...kerasMasks(streams, args.mask),
        attention: this.addsMask ? null : attentionMask,
        added: this.addsMask ? attentionMask : null,
        causal: this.causal || useCausalMask === true,
      };
      const [batch, queries] = folded.query.shape;
      const lengths = { batch, queries, keys: folded.key.shape[1] };
      const mask = maskRule(masks, lengths);
      if (mask && query.rank > 3) throw new Error(`${this.name}: masks take inputs of three axes, got ${query.rank}`);
      const dropping = training === true && this.dropoutRate > 0;
      const observer = observerOf(this);
      const scoresReturned = returnAttentionScores === true;
      const scoresWanted = scoresReturned || observer?.probabilities === true;
      const noted: Tensor[] = [];
      const rules = attentionRules({
        mask,
        drop: dropping ? { rate: this.dropoutRate, seed: this.nextSeed() } : null,
        note: (probabilities) => noted.push(probabilities),
      });
      const context = this.attend({ streams: folded, rules, dropping, scoresWanted });
      observer?.see({ streams: folded, probabilities: noted[0] ?? null, context });
      const attended = axes.unfold(projectOutput(context, this.attentionOutput), query);
      const output = reshape(attended, this.outputShapeOf(query.shape) as number[]);
      this.outputs = scoresReturned ? 2 : 1;
      if (!scoresReturned) return output;
      return [output, reshape(noted[0] as Tensor, axes.scoreDims(query.shape, key.shape, this.numHeads))];
    });
  }

  override computeOutputShape(inputShape: Shape | Shape[]): Shape | Shape[] {
    const shapes = streamShapes(inputShape);
    const output = this.outputShapeOf(shapes.query);
    if (!this.remembered?.returnAttentionScores) return output;
    return [output, this.checkedAxes(shapes).scoreDims<number | null>(shapes.query, shapes.key, this.numHeads)];
  }

  /** The query's mask goes on with the output. */
  override computeMask(inputs: Tensor | Tensor[], mask?: Tensor | Tensor[]): Tensor | Tensor[] {
    const query = [mask].flat()[0] ?? [inputs].flat()[0]?.kerasMask ?? null;
    return (this.outputs === 1 ? query : [query, null]) as Tensor | Tensor[];
  }

  override getConfig(): serialization.ConfigDict {
    const config = {
      numHeads: this.numHeads,
      dropout: this.dropoutRate,
      seed: this.seed,
      useBias: this.useBias,
      outputShape: this.outputDims && [...this.outputDims],
      attentionAxes: this.axes && [...this.axes],
      kernelInitializer: serialized(this.kernelRules.initializer),
      biasInitializer: serialized(this.biasRules.initializer),
      kernelRegularizer: serialized(this.kernelRules.regularizer),
      biasRegularizer: serialized(this.biasRules.regularizer),
      kernelConstraint: serialized(this.kernelRules.constraint),
      biasConstraint: serialized(this.biasRules.constraint),
      // Keras builds a layer from these.
      queryShape: this.shapes?.query ?? null,
      valueShape: this.shapes?.value ?? null,
      keyShape: this.shapes?.key ?? null,
    };
    return { ...super.getConfig(), ...config };
  }

  /** Adds a kernel and, where the layer has biases, a bias, named as Keras names them. */
  protected addProjection(name: string, kernelShape: Shape, biasShape: Shape): ProjectionVariables {
    const add = (part: string, shape: Shape, rules: VariableRules) => this.addVariable(`${name}/${part}`, shape, rules);
    return {
      kernel: add('kernel', kernelShape, this.kernelRules),
      bias: this.useBias ? add('bias', biasShape, this.biasRules) : null,
    };
  }

  protected addVariable(name: string, shape: Shape, rules: VariableRules): LayerVariable {
    const { initializer, regularizer, constraint } = rules;
    return this.addWeight(name, shape, 'float32', initializer, regularizer as never, true, constraint as never);
  }

  /** @throws Error before the layer is built. */
  protected checkBuilt(): void {
    if (!this.dims) throw new Error(`${this.name}: the layer has no weights yet; apply it, or build it, first`);
  }

  protected wholeNumber(name: string, value: unknown): number {
    if (Number.isInteger(value) && (value as number) > 0) return value as number;
    throw new Error(`${this.name}: ${name} must be a whole number above 0, got ${value}`);
  }

  private outputShapeOf(query: Shape): Shape {
    return [...query.slice(0, -1), ...(this.outputDims ?? query.slice(-1))];
  }

  /** The axes that a call attends over, once its streams fit each other and the layer. */
  private checkedAxes(shapes: StreamShapes): AttentionAxes {
    const dims = streamDims(this.name, shapes);
    for (const name of ['query', 'value', 'key'] as const) {
      const built = this.dims?.[name] ?? dims[name];
      if (dims[name] !== built) {
        throw new Error(`${this.name}: the ${name} has ${dims[name]} features, and the layer was built for ${built}`);
      }
    }
    return attentionAxes(this.name, shapes.query.length, this.axes);
  }

  private nextSeed(): number | undefined {
    return this.seed === null ? undefined : this.seed + this.drops++;
  }
}
