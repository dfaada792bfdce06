import type { Decoder } from './decode.js';
import { INPUT_NAME, type RecogniserInput } from './input.js';
import type { Runtime } from './runtimes.js';

/** A loaded text recogniser. */
export interface Recogniser {
  read(input: RecogniserInput): Promise<string>;
  release(): Promise<void>;
}

/** Opens a recogniser's ONNX file in a runtime. */
export async function openRecogniser(runtime: Runtime, model: Uint8Array, decode: Decoder): Promise<Recogniser> {
  const session = await runtime.open(model);
  return {
    async read({ data, dims }) {
      const [output] = Object.values(await session.run({ [INPUT_NAME]: runtime.tensor(data, dims) }));
      if (output?.type !== 'float32') throw new Error('The recogniser gave no float32 output.');
      return decode(output.data as Float32Array);
    },
    release: () => session.release(),
  };
}
