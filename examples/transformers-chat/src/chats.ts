import {
  AutoTokenizer,
  type DynamicCache,
  InterruptableStoppingCriteria,
  type PreTrainedModel,
  type PreTrainedTokenizer,
  random,
  type Tensor,
  TextStreamer,
} from '@huggingface/transformers';
import {
  type Device,
  type ModelFacts,
  type ModelName,
  ModelPair,
  type PairLoadOptions,
} from '@mhe/example-page/model-pair';
import type { ModelPlace } from '@mhe/example-page/model-place';
import type { Dials } from '@mhe/example-page/swap-options';
import { AutoModelForCausalLM, lookIn } from '@mhe/example-page/transformers';
import { encode, type Message } from './encode.js';
import { letMessagesIn } from './let-messages-in.js';

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

/** What the models answered, those that are there and came to it. */
export interface Answers extends Partial<Record<ModelName, Answer>> {
  readonly stopped: boolean;
}

/** The models on one device, each with a conversation of its own; lives in a worker. */
export class Chats extends ModelPair<PreTrainedModel> {
  private readonly messages: Readonly<Record<ModelName, Message[]>> = { original: [], swapped: [] };
  private readonly stopping = new InterruptableStoppingCriteria();
  private tokenizer: PreTrainedTokenizer | null = null;

  override async fetch(place: ModelPlace, onProgress: (share: number) => void): Promise<void> {
    await super.fetch(place, onProgress);
    this.tokenizer = await AutoTokenizer.from_pretrained(lookIn(place));
  }

  /** Loads the models that are there onto a device; conversations start anew. */
  override use(device: Device): Promise<Partial<Record<ModelName, ModelFacts>>> {
    this.forget();
    return super.use(device);
  }

  override async setSwapped(dials: Dials): Promise<ModelFacts> {
    const facts = await super.setSwapped(dials);
    this.forget();
    return facts;
  }

  /** Starts the conversations anew. */
  forget(): void {
    for (const messages of Object.values(this.messages)) messages.length = 0;
  }

  /** Ends the answers: the one that is being made after its next token, and those that have not begun. */
  stop(): void {
    this.stopping.interrupt();
  }

  /**
   * Has each model answer, one after the other. A model remembers as much of its answer as was made before a stop.
   *
   * @param onText - is told each piece of an answer as it comes.
   */
  async answer(
    message: string,
    options: AnswerOptions,
    onText: (name: ModelName, text: string) => void,
  ): Promise<Answers> {
    this.stopping.reset();
    const answers: Partial<Record<ModelName, Answer>> = {};
    for (const [name, model] of this.models) {
      const messages = this.messages[name];
      messages.push({ role: 'user', content: message });
      if (this.stopping.interrupted) {
        messages.push({ role: 'assistant', content: '' });
        continue;
      }
      const answer = await this.generate(model, messages, options, (text) => onText(name, text));
      messages.push({ role: 'assistant', content: answer.text });
      answers[name] = answer;
    }
    return { ...answers, stopped: this.stopping.interrupted };
  }

  private async generate(
    model: PreTrainedModel,
    messages: readonly Message[],
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
      stopping_criteria: this.stopping,
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

  protected async load(place: ModelPlace, options: PairLoadOptions): Promise<PreTrainedModel> {
    return letMessagesIn(await AutoModelForCausalLM.from_pretrained(lookIn(place), options));
  }
}
