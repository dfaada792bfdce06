import { type AttentionForm, type Embedding, FormError } from '@mhe/core';
import { getBackend } from '@tensorflow/tfjs-core';

/**
 * How a layer may compute, `auto` for the fastest way that each call allows. `auto` takes, in the forward pass and in
 * training alike,
 * - `folded` for MHE-MUL. The embeddings meet the queries and the context in the call, not in the weights: what trains are
 *   the paper's own parameters, none coupled with another, and the gradient is the definition's.
 * - `factorised` for MHE-ADD on cpu and wasm from 128 keys on, where no head has a mask of its own and no scores are
 *   returned, and `folded` otherwise. Where a call's key biases spread too far for float32, that call is `folded`.
 * - `direct`, the definition, for MHE-ADD while dropout acts: dropped probabilities do not sum to 1, so that the value
 *   embedding cannot leave the sum over the keys. It is the slowest (measured: `benchmarks/README.md`).
 */
export type LayerForm = 'auto' | Exclude<AttentionForm, 'widened'>;

/** What a call asks for that not every form can give. */
export interface FormDemands {
  readonly embedding: Embedding;
  /** Dropout acts, so that probabilities need not sum to 1. */
  readonly dropping: boolean;
  /** The probabilities of every head are wanted. */
  readonly scoresWanted: boolean;
  readonly sameForAllHeads: boolean;
  /** Length of the keys. */
  readonly keys: number;
}

/**
 * Why a form cannot compute what is asked, as a clause; `null` where it can.
 *
 * Folding is exact in the gradient as well as in the output, and what trains stays the paper's embeddings; so `folded`
 * trains too. Only MHE-ADD under dropout needs the definition: its value embedding leaves the sum over the keys because
 * probabilities sum to 1, and dropped ones do not.
 */
export function formObstacle(form: LayerForm, demands: FormDemands): string | null {
  if (form === 'auto' || form === 'direct') return null;
  if (form === 'factorised' && demands.embedding === 'mul') return 'it takes MHE-ADD, whose heads share their scores';
  if (demands.embedding === 'add' && demands.dropping) {
    return 'with dropout the probabilities of MHE-ADD do not sum to 1; use the form direct or auto';
  }
  if (form === 'folded') return null;
  if (demands.scoresWanted)
    return 'it never holds the probabilities of a head, so it cannot return the attention scores';
  return demands.sameForAllHeads ? null : 'the attention mask differs between heads';
}

/** The form that a call computes by. */
export function formOf(form: LayerForm, demands: FormDemands): Exclude<LayerForm, 'auto'> {
  const obstacle = formObstacle(form, demands);
  if (obstacle !== null) throw new FormError(form, obstacle);
  if (form === 'factorised' && getBackend() === 'webgpu') {
    throw new FormError(form, 'it reads a number back to check its range, which webgpu cannot do at once');
  }
  if (form !== 'auto') return form;
  if (formObstacle('folded', demands) !== null) return 'direct';
  const pays = readsBackAtOnce.includes(getBackend()) && demands.keys >= factorisedFrom;
  return pays && formObstacle('factorised', demands) === null ? 'factorised' : 'folded';
}

/** Backends where the factorised form's check of its range, which reads a number back, costs nothing. */
const readsBackAtOnce = ['cpu', 'wasm'];

/** Keys from which on one softmax for all heads outweighs wider values: measured on cpu and wasm. */
const factorisedFrom = 128;
