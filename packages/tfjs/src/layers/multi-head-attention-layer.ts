import { type AttentionWeights, attendHeads } from '@mhe/core';
import { mul, type serialization, type Tensor, transpose } from '@tensorflow/tfjs-core';
import { tfjsPort } from '../port/tfjs-port.js';
import { type AttentionCall, AttentionLayer } from './attention-layer.js';
import type { AttentionLayerArgs } from './attention-layer-args.js';
import { inputProjection, outputProjection, type ProjectionVariables, projectHeads } from './projections.js';
import type { StreamDims } from './stream-shapes.js';

/** Arguments of `multiHeadAttention`, Keras' own. */
export interface MultiHeadAttentionArgs extends AttentionLayerArgs {
  /** Size of a head's queries and keys. */
  keyDim: number;
  /** Size of a head's values. Default `keyDim`. */
  valueDim?: number | null;
}

/**
 * Keras' MultiHeadAttention (Vaswani et al. 2017). Weights, in this order and named so: `query/kernel` `[queryDim,
 * numHeads, keyDim]`, `query/bias` `[numHeads, keyDim]`, `key/...` likewise, `value/...` with `valueDim`,
 * `attention_output/kernel` `[numHeads, valueDim, ...outputShape]`, `attention_output/bias` `[...outputShape]`.
 */
export class MultiHeadAttention extends AttentionLayer {
  /** @nocollapse */
  static className = 'MultiHeadAttention';

  private readonly keyDim: number;
  private readonly valueDim: number;
  private query!: ProjectionVariables;
  private key!: ProjectionVariables;
  private value!: ProjectionVariables;
  protected attentionOutput!: ProjectionVariables;

  constructor(args: MultiHeadAttentionArgs) {
    super(args);
    this.keyDim = this.wholeNumber('keyDim', args.keyDim);
    this.valueDim = this.wholeNumber('valueDim', args.valueDim ?? args.keyDim);
  }

  protected override addWeights(dims: StreamDims, outputDims: readonly number[]): void {
    const { numHeads, keyDim, valueDim } = this;
    this.query = this.addProjection('query', [dims.query, numHeads, keyDim], [numHeads, keyDim]);
    this.key = this.addProjection('key', [dims.key, numHeads, keyDim], [numHeads, keyDim]);
    this.value = this.addProjection('value', [dims.value, numHeads, valueDim], [numHeads, valueDim]);
    this.attentionOutput = this.addProjection('attention_output', [numHeads, valueDim, ...outputDims], [...outputDims]);
  }

  protected override attend({ streams, rules }: AttentionCall): Tensor {
    const query = projectHeads(streams.query, this.query);
    const heads = {
      query: { ...query, tensor: mul(query.tensor, 1 / Math.sqrt(this.keyDim)) },
      key: projectHeads(streams.key, this.key),
      value: projectHeads(streams.value, this.value),
    };
    return transpose(attendHeads(tfjsPort, heads, this.numHeads, rules), [0, 2, 1, 3]);
  }

  override async attentionWeights(): Promise<AttentionWeights> {
    this.checkBuilt();
    return {
      numHeads: this.numHeads,
      headDim: this.keyDim,
      valueHeadDim: this.valueDim,
      scale: 1 / Math.sqrt(this.keyDim),
      query: await inputProjection(this.query),
      key: await inputProjection(this.key),
      value: await inputProjection(this.value),
      output: await outputProjection(this.attentionOutput),
    };
  }

  override getConfig(): serialization.ConfigDict {
    return { ...super.getConfig(), keyDim: this.keyDim, valueDim: this.valueDim };
  }
}
