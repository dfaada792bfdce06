import type { Constraint, Initializer, LayerArgs, Regularizer } from './tfjs-layers.js';
import type { WeightOption } from './weight-options.js';

/** Arguments that both attention layers take, with Keras' names and defaults, beside those of every tfjs layer. */
export interface AttentionLayerArgs extends LayerArgs {
  /** Number of heads. */
  numHeads: number;
  /** Share of the probabilities that is dropped in training, from 0 up to 1. Default 0. */
  dropout?: number;
  /** Makes what is dropped reproducible. Default: chance. */
  seed?: number | null;
  /** Whether the projections have biases. Default true. */
  useBias?: boolean;
  /** Dimensions of an output's features. Default: as many as the query's. */
  outputShape?: number | number[] | null;
  /** Axes of the inputs that are attended over. Default: all between the batch and the features. */
  attentionAxes?: number | number[] | null;
  /** Default `glorotUniform`. */
  kernelInitializer?: WeightOption<Initializer>;
  /** Default `zeros`. */
  biasInitializer?: WeightOption<Initializer>;
  /** Default: none, as all of the following. */
  kernelRegularizer?: WeightOption<Regularizer> | null;
  biasRegularizer?: WeightOption<Regularizer> | null;
  kernelConstraint?: WeightOption<Constraint> | null;
  biasConstraint?: WeightOption<Constraint> | null;
}
