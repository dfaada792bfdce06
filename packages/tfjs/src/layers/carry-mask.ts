import { clone, type Tensor } from '@tensorflow/tfjs-core';
import { layers, SymbolicTensor } from '@tensorflow/tfjs-layers';
import { keepCallArgsFresh } from './call-args.js';
import { carriesMask } from './carries-mask.js';
import type { LayerArgs } from './tfjs-layers.js';

/**
 * Hands its input on, and the input's Keras mask with it, as the tensor's `kerasMask`.
 *
 * tfjs tells a layer of several inputs the mask of the first alone. So an attention layer in a functional model puts
 * one of these before values and keys that come with a mask. It has no weights.
 */
export class CarryMask extends layers.Layer {
  /** @nocollapse */
  static className = 'CarryMask';

  /** What was handed on last, until its mask is known. */
  private passed: Tensor | null = null;

  constructor(args: LayerArgs) {
    super(args);
    this.supportsMasking = true;
  }

  override apply(inputs: Tensor | Tensor[] | SymbolicTensor | SymbolicTensor[], kwargs?: object) {
    const outputs = super.apply(inputs, kwargs);
    if (outputs instanceof SymbolicTensor) keepCallArgsFresh(this);
    return outputs;
  }

  override call(inputs: Tensor | Tensor[]): Tensor {
    this.passed = clone([inputs].flat()[0] as Tensor);
    return this.passed;
  }

  /** tfjs calls this after `call`, with the true mask; the one that `call` is told may be an earlier layer's. */
  override computeMask(_inputs: Tensor | Tensor[], mask?: Tensor | Tensor[]): Tensor | Tensor[] {
    const own = [mask].flat()[0];
    if (this.passed && mask !== undefined) {
      if (own) this.passed.kerasMask = own;
      this.passed = null;
    }
    return own as Tensor;
  }
}

/** The symbol behind a {@link CarryMask} of this name, where it may come with a mask that is not carried yet. */
export function withCarriedMask(symbol: SymbolicTensor, name: string): SymbolicTensor {
  if (symbol.sourceLayer instanceof CarryMask || !carriesMask(symbol)) return symbol;
  return new CarryMask({ name }).apply(symbol) as SymbolicTensor;
}
