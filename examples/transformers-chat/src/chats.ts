import {
  AutoTokenizer,
  type DynamicCache,
  type PreTrainedModel,
  type PreTrainedTokenizer,
  random,
  type Tensor,
  TextStreamer,
} from '@huggingface/transformers';
import type { Obstacles } from '@mhe/example-page/backend-choice';
import { fileProgress } from '@mhe/example-page/file-progress';
import type { ModelPlace } from '@mhe/example-page/model-place';
import { type Dials, swapOptions } from '@mhe/example-page/swap-options';
import { AutoModelForCausalLM, lookIn } from '@mhe/example-page/transformers';
import { webgpuObstacle } from '@mhe/example-page/webgpu-obstacle';
import type { MheLoadOptions } from '@mhe/transformers';
import { encode, type Message } from './encode.js';

export type Device = 'wasm' | 'webgpu';

export type ModelName = 'original' | 'swapped';

/** What loading a model showed. */
export interface ModelFacts {
  /** Of the model's files. */
  readonly bytes: number;
  readonly loadMilliseconds: number;
}

/** How answers are made. */
export interface AnswerOptions {
  readonly maxNewTokens: number;
  /** Whether tokens are drawn by chance, the same way for both models; otherwise the likeliest are taken. */
  readonly sample: boolean;
}

/** What one model answered, and what that took. */
export interface Answer {
  readonly text: string;
  readonly tokens: readonly number[];
  /** After the first one, which waits for the whole conversation to be read; `NaN` where there was but one. */
  readonly tokensPerSecond: number;
  /** Keys and values that the model holds in the end, of so many tokens. */
  readonly cache: { readonly bytes: number; readonly tokens: number };
}

interface Chat {
  readonly model: PreTrainedModel;
  readonly messages: Message[];
}

/** The models on one device, each with a conversation of its own; lives in a worker. */
export class Chats {
  private readonly chats = new Map<ModelName, Chat>();
  private tokenizer: PreTrainedTokenizer | null = null;
  private place: ModelPlace | null = null;
  private device: Device = 'wasm';
  private swap: MheLoadOptions | null = null;

  async deviceObstacles(): Promise<Obstacles<Device>> {
    return {
      wasm: typeof WebAssembly === 'object' ? null : 'this browser has no WebAssembly',
      webgpu: await webgpuObstacle(),
    };
  }

  /** Fetches a model, in place of those that are there; `use` loads it. */
  async fetch(place: ModelPlace, onProgress: (share: number) => void): Promise<void> {
    await this.dispose();
    this.swap = null;
    this.place = place;
    const fetched = await this.open('original', (_, share) => onProgress(share));
    await fetched.dispose();
    this.tokenizer = await AutoTokenizer.from_pretrained(lookIn(place));
  }

  /** Loads the models that are there onto a device; conversations start anew. */
  async use(device: Device): Promise<Partial<Record<ModelName, ModelFacts>>> {
    await this.dispose();
    this.device = device;
    const original = await this.load('original');
    return this.swap ? { original, swapped: await this.load('swapped') } : { original };
  }

  /** Loads the swapped model, in place of an earlier one, out of the cache that a swap with these dials has filled. */
  async setSwapped(dials: Dials): Promise<ModelFacts> {
    this.swap = swapOptions(dials);
    const facts = await this.load('swapped');
    this.forget();
    return facts;
  }

  /** Starts the conversations anew. */
  forget(): void {
    for (const { messages } of this.chats.values()) messages.length = 0;
  }

  /**
   * Has each model answer, one after the other.
   *
   * @param onText - is told each piece of an answer as it comes.
   */
  async answer(
    message: string,
    options: AnswerOptions,
    onText: (name: ModelName, text: string) => void,
  ): Promise<Partial<Record<ModelName, Answer>>> {
    const answers: Partial<Record<ModelName, Answer>> = {};
    for (const [name, chat] of this.chats) {
      chat.messages.push({ role: 'user', content: message });
      const answer = await this.generate(chat, options, (text) => onText(name, text));
      chat.messages.push({ role: 'assistant', content: answer.text });
      answers[name] = answer;
    }
    return answers;
  }

  private async generate(
    { model, messages }: Chat,
    { maxNewTokens, sample }: AnswerOptions,
    onText: (text: string) => void,
  ): Promise<Answer> {
    const { tokenizer } = this;
    if (!tokenizer) throw new Error('No model is loaded: choose one.');
    const inputs = encode(tokenizer, messages);
    let text = '';
    const times: number[] = [];
    const streamer = new TextStreamer(tokenizer, {
      skip_prompt: true,
      skip_special_tokens: true,
      callback_function: (piece) => {
        text += piece;
        onText(piece);
      },
      token_callback_function: () => times.push(performance.now()),
    });
    random.seed(1);
    const { sequences, past_key_values: cache } = (await model.generate({
      ...inputs,
      max_new_tokens: maxNewTokens,
      do_sample: sample,
      streamer,
      return_dict_in_generate: true,
    })) as { sequences: Tensor; past_key_values: DynamicCache };
    const held = Object.values(cache) as Tensor[];
    const bytes = held.reduce((sum, { size }) => sum + size * Float32Array.BYTES_PER_ELEMENT, 0);
    const tokens = cache.get_seq_length();
    await cache.dispose();
    const [first = Number.NaN, last = Number.NaN] = [times[0], times.at(-1)];
    return {
      text,
      tokens: Array.from(sequences.data as BigInt64Array, Number).slice(inputs.input_ids.dims[1]),
      tokensPerSecond: times.length > 1 ? ((times.length - 1) / (last - first)) * 1000 : Number.NaN,
      cache: { bytes, tokens },
    };
  }

  private async load(name: ModelName): Promise<ModelFacts> {
    await this.chats.get(name)?.model.dispose();
    this.chats.delete(name);
    let bytes = 0;
    const start = performance.now();
    const model = await this.open(name, (ofModel) => {
      bytes = ofModel;
    });
    const loadMilliseconds = performance.now() - start;
    this.chats.set(name, { model, messages: [] });
    return { bytes, loadMilliseconds };
  }

  private async open(name: ModelName, onProgress: (bytes: number, share: number) => void): Promise<PreTrainedModel> {
    if (!this.place) throw new Error('No model is chosen.');
    return AutoModelForCausalLM.from_pretrained(lookIn(this.place), {
      dtype: 'fp32',
      device: this.device,
      ...(name === 'swapped' && this.swap && { mhe: this.swap }),
      progress_callback: fileProgress(onProgress),
    });
  }

  private async dispose(): Promise<void> {
    for (const { model } of this.chats.values()) await model.dispose();
    this.chats.clear();
  }
}
