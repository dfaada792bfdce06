import { drawSentences } from '@mhe/example-sentence-encoder/draw-sentences';
import type { MheLoadOptions } from '@mhe/transformers';

/** What the dials are set to, and what is fitted on. */
export interface Dials {
  readonly groups: { readonly queryKey: number | 'heads'; readonly value: number | 'heads' };
  readonly embedding: 'mul' | 'add';
  /** Texts to fit on. None: as many made-up ones as `madeUp` says. */
  readonly texts: readonly string[];
  readonly madeUp: number;
}

/** The option `mhe`. The same dials give the same option, by which the library's cache knows the swapped model. */
export function swapOptions({ groups, embedding, texts, madeUp }: Dials): MheLoadOptions {
  return { groups, embedding, calibration: texts.length > 0 ? texts : drawSentences(1, madeUp) };
}
