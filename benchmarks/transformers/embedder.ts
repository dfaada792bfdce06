import { pipeline } from '@huggingface/transformers';
import type { Encoder } from '../quality/evaluate.js';

/** The types of weights that are measured. */
export type Dtype = 'fp32' | 'fp16' | 'q8';

/** The sentence encoder of a folder, as a user of transformers.js has it, held to one thread, so that times compare. */
export async function openEmbedder(folder: string, dtype: Dtype): Promise<Encoder<string>> {
  const embed = await pipeline('feature-extraction', folder, {
    dtype,
    local_files_only: true,
    session_options: { intraOpNumThreads: 1, interOpNumThreads: 1 },
  });
  return {
    async embed(sentence) {
      const { data } = await embed(sentence, { pooling: 'mean', normalize: true });
      return data as Float32Array;
    },
    release: () => embed.dispose(),
  };
}
