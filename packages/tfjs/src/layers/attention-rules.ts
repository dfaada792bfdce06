import type { ScoreRules } from '@mhe/core';
import { dropout, type Tensor } from '@tensorflow/tfjs-core';

/** What happens to the scores of a call, apart from their scale. */
export interface CallRules {
  readonly mask: ScoreRules<Tensor> | null;
  /** Dropout of the probabilities, `null` where it does not act. */
  readonly drop: { readonly rate: number; readonly seed: number | undefined } | null;
  /** Where the probabilities go, as they are before dropout. */
  note(probabilities: Tensor): void;
}

/** The rules as the scores of a call take them, in this order: mask, softmax, noting, dropout. */
export function attentionRules({ mask, drop, note }: CallRules): ScoreRules<Tensor> {
  return {
    beforeSoftmax: (scores) => mask?.beforeSoftmax(scores) ?? scores,
    sameForAllHeads: mask?.sameForAllHeads ?? true,
    afterSoftmax(probabilities) {
      note(probabilities);
      return drop ? dropout(probabilities, drop.rate, undefined, drop.seed) : probabilities;
    },
  };
}
