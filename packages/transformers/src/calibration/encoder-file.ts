import type { Feed, FeedTensor, OnnxModel } from '@mhe/onnx';

/** The file of a model's encoder, for the calibration of the decoder that reads what it gives. */
export interface EncoderFile {
  /** Below the model, with `/`. */
  readonly path: string;
  /** The encoder that the decoder will read: swapped, once it is. */
  model(): Promise<OnnxModel>;
  /** The token that the decoder starts with, by the model's configuration. */
  start(): Promise<number>;
}

/** An encoder that can be run. */
export interface RunnableEncoder extends EncoderFile {
  run(model: OnnxModel, feeds: readonly Feed[]): Promise<readonly Readonly<Record<string, FeedTensor>>[]>;
}

/** What configurations say of a decoder's start. */
interface Starting {
  readonly decoder_start_token_id?: unknown;
  readonly bos_token_id?: unknown;
}

/**
 * The token that a decoder starts with, of the first configuration that names one; `undefined`: none does.
 *
 * @param configs - of generation, then of the model.
 */
export function startToken(...configs: readonly (Starting | null | undefined)[]): number | undefined {
  const tokens = (['decoder_start_token_id', 'bos_token_id'] as const).flatMap((name) =>
    configs.map((config) => config?.[name]),
  );
  return tokens.find((token): token is number => typeof token === 'number');
}
