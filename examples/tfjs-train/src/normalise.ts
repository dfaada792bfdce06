import { add, mean, mul, rsqrt, square, sub, type Tensor, tidy } from '@tensorflow/tfjs-core';
import { layers } from '@tensorflow/tfjs-layers';

/**
 * Layer normalisation without weights: every position to mean 0 and variance 1. The one of tfjs-layers repeats its
 * weights and means over all positions, and the gradient of that is a slice and a sum for each of them.
 */
export class Normalise extends layers.Layer {
  /** @nocollapse */
  static className = 'Normalise';

  override call(inputs: Tensor | Tensor[]): Tensor {
    return tidy(() => {
      const x = [inputs].flat()[0] as Tensor;
      const centred = sub(x, mean(x, -1, true));
      return mul(centred, rsqrt(add(mean(square(centred), -1, true), 1e-5)));
    });
  }
}
