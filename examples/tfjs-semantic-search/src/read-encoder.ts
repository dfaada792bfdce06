import { type Tokenizer, unigramTokenizer, type Vocabulary } from '@mhe/example-sentence-encoder';
import { loadModel, type TfjsModel } from '@mhe/tfjs';

/** The encoder as its package has it. */
export interface EncoderFiles {
  readonly model: TfjsModel;
  readonly tokenize: Tokenizer;
}

/**
 * Fetches the encoder, 28 MB.
 *
 * @param folder - address of the folder that its files are served in.
 * @param onProgress - is told the share that is done.
 */
export async function readEncoder(folder: string, onProgress: (share: number) => void): Promise<EncoderFiles> {
  const response = await fetch(new URL('vocab.json', folder));
  if (!response.ok) throw new Error(`${response.url}: ${response.status} ${response.statusText}.`);
  const vocabulary = (await response.json()) as Vocabulary;
  const model = await loadModel(new URL('model.json', folder).href, { onProgress });
  return { model, tokenize: unigramTokenizer(vocabulary) };
}
