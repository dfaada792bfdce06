import { embed, load } from '@mhe/example-sentence-encoder';
import type { TfjsModel } from '@mhe/tfjs';
import type { Encoder } from '../quality/evaluate.js';

/** The sentence encoder of a model. */
export async function openEncoder(model: TfjsModel): Promise<Encoder> {
  const loaded = await load(model);
  return {
    embed: (tokens) => embed(loaded, tokens),
    async release() {
      loaded.dispose();
    },
  };
}
