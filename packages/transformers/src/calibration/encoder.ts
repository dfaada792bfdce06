import type { FeedTensor } from '@mhe/onnx';
import type { TransformersLibrary } from '../library/library.js';
import type { CalibrationSample } from './calibration-input.js';

/** What a tokenizer or processor makes of one sample: tensors by the names of the model's inputs. */
export type Encoded = Readonly<Record<string, FeedTensor>>;

/** Turns samples into a model's inputs. Tokenizer and processor are loaded when first needed. */
export interface Encoder {
  text(text: string): Promise<Encoded>;
  image(image: NonNullable<CalibrationSample['image']>): Promise<Encoded>;
  audio(audio: Float32Array): Promise<Encoded>;
}

/** How the library loads a class for the model at hand. */
type Load = (pretrained: { from_pretrained(id: string, options?: object): Promise<unknown> }) => Promise<unknown>;

type Callable = (input: unknown, options?: object) => Encoded | Promise<Encoded>;

/** The encoder of a model, out of its own tokenizer and processor. */
export function modelEncoder(library: TransformersLibrary, load: Load): Encoder {
  let tokenizer: Promise<Callable> | undefined;
  let processor: Promise<Callable> | undefined;
  const process = async (input: unknown) => {
    processor ??= load(library.AutoProcessor) as Promise<Callable>;
    return (await processor)(input);
  };
  return {
    async text(text) {
      tokenizer ??= load(library.AutoTokenizer) as Promise<Callable>;
      return (await tokenizer)(text, { truncation: true });
    },
    async image(image) {
      const isAddress = typeof image === 'string' || image instanceof URL;
      return process(isAddress ? await library.RawImage.read(image as never) : image);
    },
    audio: process,
  };
}
