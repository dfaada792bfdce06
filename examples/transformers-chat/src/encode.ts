import type { PreTrainedTokenizer, Tensor } from '@huggingface/transformers';

/** One turn of a conversation. */
export interface Message {
  readonly role: 'user' | 'assistant';
  readonly content: string;
}

/** What a model of text reads. */
export interface Encoded {
  readonly input_ids: Tensor;
  readonly attention_mask: Tensor;
}

/** A conversation up to the answer that is to come. A model that was not made for chats continues it as one text. */
export function encode(tokenizer: PreTrainedTokenizer, messages: readonly Message[]): Encoded {
  if (!tokenizer.chat_template) return tokenizer(messages.map(({ content }) => content).join('')) as Encoded;
  return tokenizer.apply_chat_template([...messages], { add_generation_prompt: true, return_dict: true }) as Encoded;
}
