import { type AttentionWeights, type Embedding, expandMhe, FormError, groupCount, type HeadGroups } from '@mhe/core';
import type { serialization, Tensor } from '@tensorflow/tfjs-core';
import type { LayerVariable } from '@tensorflow/tfjs-layers';
import { formObstacle, formOf, type LayerForm } from './attention-form.js';
import { type AttentionCall, AttentionLayer } from './attention-layer.js';
import type { AttentionLayerArgs } from './attention-layer-args.js';
import { attendDirect, attendFactorised, attendFolded } from './embedded-attention.js';
import { headGroups, type LayerGroups } from './layer-groups.js';
import { inputProjection, matrixOf, outputProjection, type ProjectionVariables, projectHeads } from './projections.js';
import type { StreamDims } from './stream-shapes.js';
import type { Constraint, Initializer, Regularizer } from './tfjs-layers.js';
import {
  constraint,
  initializer,
  regularizer,
  serialized,
  type VariableRules,
  type WeightOption,
} from './weight-options.js';

/** Arguments of `multiHeadEmbeddingAttention`. */
export interface MultiHeadEmbeddingAttentionArgs extends AttentionLayerArgs {
  /** Size of a head's queries and keys. */
  headDim: number;
  /** Size of a head's values. Default `headDim`. */
  valueHeadDim?: number | null;
  /** How many projections the heads share. Default 1, the paper's MHE. */
  groups?: LayerGroups;
  /** How the vectors of a head act. Default `mul`. */
  embedding?: Embedding;
  /** Whether query `i` sees no key after `i`. Default false. */
  causal?: boolean;
  /** What an `attentionMask` holds: truths, or numbers that are added to the scores. Default `boolean`. */
  maskKind?: 'boolean' | 'additive';
  /** Factor of the scores. Default `1 / sqrt(headDim)`. */
  scale?: number | null;
  /** How calls compute; the result is the same. Default `auto`, the fastest way (see {@link LayerForm} for which). */
  form?: LayerForm;
  /** Default `zeros`: every head starts as the projections that it shares, and its part of the output tells it apart. */
  embeddingsInitializer?: WeightOption<Initializer>;
  /** Default: none, as the next. */
  embeddingsRegularizer?: WeightOption<Regularizer> | null;
  embeddingsConstraint?: WeightOption<Constraint> | null;
}

/**
 * Multi-head-embedding attention (Xue & Aletras 2023) in groups. Weights, in this order: `query/kernel` `[queryDim,
 * queryKeyGroups, headDim]`, `query/bias` `[queryKeyGroups, headDim]`, `key/...` likewise, `value/...` with
 * `valueGroups` and `valueHeadDim`, `query/embedding` and `key/embedding` `[numHeads, headDim]`, `value/embedding`
 * `[numHeads, valueHeadDim]`, `attention_output/kernel` `[numHeads, valueHeadDim, ...outputShape]` and
 * `attention_output/bias` `[...outputShape]`.
 *
 * The embeddings are what trains, in every form. With MHE-ADD softmax cancels the key embedding, so it gets no gradient
 * but for the definition's rounding errors.
 */
export class MultiHeadEmbeddingAttention extends AttentionLayer {
  /** @nocollapse */
  static className = 'MultiHeadEmbeddingAttention';

  private readonly headDim: number;
  private readonly valueHeadDim: number;
  /** The group of every head, of each kind. */
  readonly groups: HeadGroups;
  private readonly embedding: Embedding;
  private readonly isCausal: boolean;
  private readonly maskKind: 'boolean' | 'additive';
  private readonly scale: number;
  private readonly form: LayerForm;
  private readonly embeddingRules: VariableRules;
  private query!: ProjectionVariables;
  private key!: ProjectionVariables;
  private value!: ProjectionVariables;
  private queryEmbedding!: LayerVariable;
  private keyEmbedding!: LayerVariable;
  private valueEmbedding!: LayerVariable;
  protected attentionOutput!: ProjectionVariables;

  constructor(args: MultiHeadEmbeddingAttentionArgs) {
    super(args);
    this.headDim = this.wholeNumber('headDim', args.headDim);
    this.valueHeadDim = this.wholeNumber('valueHeadDim', args.valueHeadDim ?? args.headDim);
    this.groups = headGroups(this.name, args.groups ?? 1, this.numHeads);
    this.embedding = this.oneOf('embedding', args.embedding ?? 'mul', ['mul', 'add']);
    this.isCausal = args.causal ?? false;
    this.maskKind = this.oneOf('maskKind', args.maskKind ?? 'boolean', ['boolean', 'additive']);
    this.scale = args.scale ?? 1 / Math.sqrt(this.headDim);
    this.form = this.oneOf('form', args.form ?? 'auto', ['auto', 'direct', 'folded', 'factorised']);
    this.embeddingRules = {
      initializer: initializer(args.embeddingsInitializer ?? 'zeros'),
      regularizer: regularizer(args.embeddingsRegularizer),
      constraint: constraint(args.embeddingsConstraint),
    };
    const always = { scoresWanted: false, sameForAllHeads: true, keys: Number.POSITIVE_INFINITY };
    const dropping = this.dropoutRate > 0;
    const obstacle = formObstacle(this.form, { embedding: this.embedding, dropping, ...always });
    if (obstacle !== null) throw new FormError(this.form, obstacle);
  }

  protected override get causal(): boolean {
    return this.isCausal;
  }

  protected override get addsMask(): boolean {
    return this.maskKind === 'additive';
  }

  protected override addWeights(dims: StreamDims, outputDims: readonly number[]): void {
    const { numHeads, headDim, valueHeadDim, embeddingRules } = this;
    const queryKeyGroups = groupCount(this.groups.queryKey);
    const valueGroups = groupCount(this.groups.value);
    this.query = this.addProjection('query', [dims.query, queryKeyGroups, headDim], [queryKeyGroups, headDim]);
    this.key = this.addProjection('key', [dims.key, queryKeyGroups, headDim], [queryKeyGroups, headDim]);
    this.value = this.addProjection('value', [dims.value, valueGroups, valueHeadDim], [valueGroups, valueHeadDim]);
    this.queryEmbedding = this.addVariable('query/embedding', [numHeads, headDim], embeddingRules);
    this.keyEmbedding = this.addVariable('key/embedding', [numHeads, headDim], embeddingRules);
    this.valueEmbedding = this.addVariable('value/embedding', [numHeads, valueHeadDim], embeddingRules);
    const kernelShape = [numHeads, valueHeadDim, ...outputDims];
    this.attentionOutput = this.addProjection('attention_output', kernelShape, [...outputDims]);
  }

  protected override attend({ streams, rules, dropping, scoresWanted }: AttentionCall): Tensor {
    const { numHeads, groups, embedding, scale } = this;
    const heads = {
      numHeads,
      groups,
      embedding,
      scale,
      query: projectHeads(streams.query, this.query),
      key: projectHeads(streams.key, this.key),
      value: projectHeads(streams.value, this.value),
      queryEmbedding: this.queryEmbedding.read(),
      keyEmbedding: this.keyEmbedding.read(),
      valueEmbedding: this.valueEmbedding.read(),
    };
    const { sameForAllHeads } = rules;
    const demands = { embedding, dropping, scoresWanted, sameForAllHeads, keys: streams.key.shape[1] };
    const form = formOf(this.form, demands);
    if (form === 'direct') return attendDirect(heads, rules);
    return (form === 'factorised' ? attendFactorised(heads, rules) : null) ?? attendFolded(heads, rules);
  }

  override async attentionWeights(): Promise<AttentionWeights> {
    this.checkBuilt();
    const { numHeads, headDim, valueHeadDim, scale, groups, embedding } = this;
    return expandMhe({
      ...{ numHeads, headDim, valueHeadDim, scale, groups, embedding },
      query: await inputProjection(this.query),
      key: await inputProjection(this.key),
      value: await inputProjection(this.value),
      output: await outputProjection(this.attentionOutput),
      queryEmbedding: await matrixOf(this.queryEmbedding, numHeads),
      keyEmbedding: await matrixOf(this.keyEmbedding, numHeads),
      valueEmbedding: await matrixOf(this.valueEmbedding, numHeads),
    });
  }

  override getConfig(): serialization.ConfigDict {
    const { queryKey, value } = this.groups;
    const config = {
      headDim: this.headDim,
      valueHeadDim: this.valueHeadDim,
      groups: { queryKey: [...queryKey], value: [...value] },
      embedding: this.embedding,
      causal: this.isCausal,
      maskKind: this.maskKind,
      scale: this.scale,
      form: this.form,
      embeddingsInitializer: serialized(this.embeddingRules.initializer),
      embeddingsRegularizer: serialized(this.embeddingRules.regularizer),
      embeddingsConstraint: serialized(this.embeddingRules.constraint),
    };
    return { ...super.getConfig(), ...config };
  }

  private oneOf<Choice extends string>(name: string, choice: Choice, choices: readonly Choice[]): Choice {
    if (choices.includes(choice)) return choice;
    throw new Error(`${this.name}: ${name} must be one of ${choices.join(', ')}, got '${choice}'`);
  }
}
