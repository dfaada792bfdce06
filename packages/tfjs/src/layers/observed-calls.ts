import type { Tensor, Tensor3D } from '@tensorflow/tfjs-core';
import type { Layer } from './tfjs-layers.js';

/** What a call of an attention layer computed with and made. The tensors are the call's: keep what is to stay. */
export interface ObservedCall {
  /** `[batch, length, features]`, axes folded. */
  readonly streams: { readonly query: Tensor3D; readonly value: Tensor3D; readonly key: Tensor3D };
  /** `[batch, numHeads, queries, keys]`; `null` where the form never holds them and they were not asked for. */
  readonly probabilities: Tensor | null;
  /** The heads' outputs, `[batch, queries, numHeads, valueHeadDim]`. */
  readonly context: Tensor;
}

/** Looks on while a layer computes. */
export interface CallObserver {
  /** Whether the probabilities are wanted. */
  readonly probabilities: boolean;
  see(call: ObservedCall): void;
}

const observers = new WeakMap<Layer, CallObserver>();

/** Lets an observer see every call of an attention layer; `null` ends it. */
export function observeCalls(layer: Layer, observer: CallObserver | null): void {
  if (observer) observers.set(layer, observer);
  else observers.delete(layer);
}

/** Who sees the calls of a layer, if anyone. */
export function observerOf(layer: Layer): CallObserver | undefined {
  return observers.get(layer);
}
