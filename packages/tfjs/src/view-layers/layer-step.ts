import type { LayerCall } from '../layers-model/layer-calls.js';
import type { LayerWeights } from './layer-weights.js';
import type { ViewWriter } from './view-writer.js';

/** A value of the view as a step reads it. */
export interface StepInput {
  readonly id: string;
  /** Whether it has an axis of heads, its second: that of the same step of several heads, set side by side. */
  readonly perHead: boolean;
  /** Number of axes, that of heads left out. */
  readonly rank: number;
}

/** One use of a layer, or the uses that do the same for every head, to translate. */
export interface LayerStep {
  /** All of one class and configuration. Several: the result has an axis of heads, its second. */
  readonly calls: readonly [LayerCall, ...LayerCall[]];
  readonly inputs: readonly StepInput[];
  readonly weights: LayerWeights;
  readonly writer: ViewWriter;
}

/** Writes a step's nodes and returns its result; `undefined` where this use has no meaning in the view. */
export type StepTranslator = (step: LayerStep) => string | undefined;

/** Whether a step is that of several heads. */
export function isPerHead({ calls }: LayerStep): boolean {
  return calls.length > 1;
}

/** The configuration that the step's layers share. */
export function configOf({ calls }: LayerStep): Readonly<Record<string, unknown>> {
  return calls[0].layer.getConfig();
}

/** The inputs with an axis of heads each where the step has one. */
export function alignedInputs(step: LayerStep): string[] {
  const align = ({ id, perHead }: StepInput) => (isPerHead(step) && !perHead ? step.writer.unsqueeze(id, 1) : id);
  return step.inputs.map(align);
}
