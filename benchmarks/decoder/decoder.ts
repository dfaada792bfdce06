import type { PreTrainedModel, PreTrainedTokenizer } from '@huggingface/transformers';
import { AutoModelForCausalLM, AutoTokenizer, Tensor, TextStreamer } from '@huggingface/transformers';

/** A decoder of a folder, as a user of transformers.js has it, held to one thread, so that times compare. */
export interface Decoder {
  /** What the model makes of the tokens, one window alone. */
  predict(tokens: readonly number[]): Promise<Prediction>;
  /** The likeliest token again and again. */
  generate(prompt: readonly number[], count: number): Promise<Generation>;
  release(): Promise<unknown>;
}

/** Of each token but the first, from those before it. */
export interface Prediction {
  /** Sum of the negative logarithms of the probabilities that the tokens had. */
  readonly loss: number;
  /** The token that was held to be likeliest. */
  readonly likeliest: readonly number[];
}

export interface Generation {
  readonly tokens: readonly number[];
  /** Until the first token, and then for each. */
  readonly promptMilliseconds: number;
  readonly tokenMilliseconds: number;
}

/** Notes when tokens come; the prompt comes first. */
class Clock extends TextStreamer {
  readonly times: number[] = [];

  override put(): void {
    this.times.push(performance.now());
  }

  override end(): void {}
}

/** The folder's tokenizer. */
export async function openTokenizer(folder: string): Promise<PreTrainedTokenizer> {
  return AutoTokenizer.from_pretrained(folder, { local_files_only: true });
}

/** The folder's model, in fp32. */
export async function openDecoder(folder: string, tokenizer: PreTrainedTokenizer): Promise<Decoder> {
  const model: PreTrainedModel = await AutoModelForCausalLM.from_pretrained(folder, {
    dtype: 'fp32',
    local_files_only: true,
    session_options: { intraOpNumThreads: 1, interOpNumThreads: 1 },
  });
  return {
    async predict(tokens) {
      const { logits } = (await model(inputsOf(tokens))) as { readonly logits: Tensor };
      return predictionOf(logits.data as Float32Array, tokens);
    },
    async generate(prompt, count) {
      const streamer = new Clock(tokenizer);
      const lengths = { max_new_tokens: count, min_new_tokens: count };
      const made = (await model.generate({ ...inputsOf(prompt), ...lengths, do_sample: false, streamer })) as Tensor;
      const [start, first, last] = [streamer.times[0], streamer.times[1], streamer.times[count]] as number[];
      return {
        tokens: Array.from(made.data as BigInt64Array, Number).slice(prompt.length),
        promptMilliseconds: (first as number) - (start as number),
        tokenMilliseconds: ((last as number) - (first as number)) / (count - 1),
      };
    },
    release: () => model.dispose(),
  };
}

function inputsOf(tokens: readonly number[]) {
  const dims = [1, tokens.length];
  return {
    input_ids: new Tensor('int64', BigInt64Array.from(tokens, BigInt), dims),
    attention_mask: new Tensor('int64', new BigInt64Array(tokens.length).fill(1n), dims),
  };
}

/** @param logits - `[token, vocabulary]`. */
function predictionOf(logits: Float32Array, tokens: readonly number[]): Prediction {
  const size = logits.length / tokens.length;
  const likeliest: number[] = [];
  let loss = 0;
  for (let at = 1; at < tokens.length; at++) {
    const row = logits.subarray((at - 1) * size, at * size);
    let best = 0;
    for (let token = 1; token < size; token++) if ((row[token] as number) > (row[best] as number)) best = token;
    const largest = row[best] as number;
    let sum = 0;
    for (let token = 0; token < size; token++) sum += Math.exp((row[token] as number) - largest);
    loss += Math.log(sum) + largest - (row[tokens[at] as number] as number);
    likeliest.push(best);
  }
  return { loss, likeliest };
}
