import type { LibraryUnderTest, Pipeline, Tensor } from './library-under-test.js';

/** What the tests use of a model that generates. */
export interface Generator extends Pipeline {
  (inputs: object): Promise<Readonly<Record<string, Tensor | Readonly<Record<string, Tensor>>>>>;
  generate(inputs: unknown, options?: object, processor?: null, more?: object): Promise<unknown>;
}

export interface Tokenizer {
  (texts: string | readonly string[], options?: object): Inputs;
  padding_side: 'left' | 'right';
}

interface Inputs {
  readonly input_ids: Tensor;
  readonly attention_mask: Tensor;
}

/** A model of text, and what reads text for it. */
export interface Loaded {
  readonly library: LibraryUnderTest;
  readonly tokenizer: Tokenizer;
  readonly model: Generator;
}

export const major = ({ env }: LibraryUnderTest): number => Number(env.version.split('.')[0]);

/** The one file of a decoder, in fp32, whatever the version: each looks for another name where none is given. */
const decoderOptions = (id: string) => ({
  dtype: 'fp32',
  quantized: false,
  model_file_name: id.includes('merged') ? 'decoder_model_merged' : 'model',
});

/** Loads a decoder as the library does, uses it, and frees it. */
export async function withDecoder<T>(library: LibraryUnderTest, id: string, use: (loaded: Loaded) => Promise<T>) {
  const tokenizer = (await library.AutoTokenizer.from_pretrained(id)) as Tokenizer;
  const model = (await library.AutoModelForCausalLM.from_pretrained(id, decoderOptions(id))) as Generator;
  try {
    return await use({ library, tokenizer, model });
  } finally {
    await model.dispose();
  }
}

const PROMPT = 'The ferry leaves the';
const PROMPTS = ['A red kettle', 'The library closes early on the last day of', 'Rain'];

/** Texts of several lengths, filled up in front. */
function padded(tokenizer: Tokenizer): Inputs {
  tokenizer.padding_side = 'left';
  return tokenizer(PROMPTS, { padding: true });
}

/** The library's `generate()`, as each version takes its inputs; the tokens of every sequence. */
export async function generate({ library, model }: Loaded, inputs: Inputs, options: object): Promise<number[][]> {
  const settings = { max_new_tokens: 12, ...options };
  const sequences = await (major(library) === 2
    ? model.generate(inputs.input_ids, settings, null, { inputs_attention_mask: inputs.attention_mask })
    : model.generate({ ...inputs, ...settings }));
  if (Array.isArray(sequences)) return sequences.map((tokens) => Array.from(tokens, Number));
  const { data, dims } = sequences as Tensor;
  const length = dims.at(-1) as number;
  return Array.from({ length: dims[0] as number }, (_, i) =>
    Array.from({ length }, (_, at) => Number(data[i * length + at])),
  );
}

/** Runs with the library's own randomness started anew. */
async function seeded<T>(library: LibraryUnderTest, run: () => Promise<T>): Promise<T> {
  if (library.random) {
    library.random.seed(7);
    return run();
  }
  const { random } = Math;
  let state = 7;
  Math.random = () => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  };
  try {
    return await run();
  } finally {
    Math.random = random;
  }
}

/** A way to generate; what it gives is the same for models that compute the same. */
interface Way {
  readonly versions: readonly number[];
  run(loaded: Loaded): Promise<unknown>;
}

export const WAYS: Readonly<Record<string, Way>> = {
  greedy: { versions: [2, 3, 4], run: (loaded) => generate(loaded, loaded.tokenizer(PROMPT), { do_sample: false }) },
  sampling: {
    versions: [2, 3, 4],
    run: (loaded) =>
      seeded(loaded.library, () =>
        generate(loaded, loaded.tokenizer(PROMPT), { do_sample: true, temperature: 1.5, top_k: 40 }),
      ),
  },
  'beam search': {
    versions: [2],
    run: (loaded) => generate(loaded, loaded.tokenizer(PROMPT), { num_beams: 3, num_return_sequences: 2 }),
  },
  'a batch, padded in front': {
    versions: [2, 3, 4],
    run: (loaded) => generate(loaded, padded(loaded.tokenizer), { do_sample: false }),
  },
  'a streamer': {
    versions: [3, 4],
    async run(loaded) {
      const { TextStreamer } = loaded.library;
      const heard: string[] = [];
      const streamer = new TextStreamer(loaded.tokenizer, {
        skip_prompt: true,
        callback_function: (text: string) => heard.push(text),
      });
      const tokens = await generate(loaded, loaded.tokenizer(PROMPT), { do_sample: false, streamer });
      return { heard, tokens };
    },
  },
};

/** What the model gives in one run: the logits of all positions, and the sizes of its caches. */
export async function prefill({ library, tokenizer, model }: Loaded) {
  // Version 2 makes caches for one sequence only.
  return logitsAndCaches(await model(major(library) === 2 ? tokenizer(PROMPTS[1] as string) : padded(tokenizer)));
}

/** Of what a decoder gives in one run. */
export function logitsAndCaches(outputs: Awaited<ReturnType<Generator>>) {
  const { logits, past_key_values, ...rest } = outputs as { logits: Tensor } & Record<string, Record<string, Tensor>>;
  const caches = Object.entries({ ...rest, ...past_key_values } as Record<string, Tensor>);
  return {
    logits: Array.from(logits.data),
    caches: Object.fromEntries(
      caches
        .filter(([name]) => /^(present|past_key_values)\./.test(name))
        .map(([name, { dims }]) => [name.replace(/^\w+\./, ''), [...dims]]),
    ),
  };
}

/** What the pipeline writes after a prompt, after several, and as an answer where the model is one of chats. */
export async function write(library: LibraryUnderTest, id: string): Promise<unknown> {
  const generator = await library.pipeline('text-generation', id, decoderOptions(id));
  const options = { max_new_tokens: 8, do_sample: false };
  try {
    const texts = [await generator(PROMPT, options), await generator(PROMPTS, options)];
    if (!id.startsWith('llama')) return texts;
    return [...texts, await generator([{ role: 'user', content: 'Who locked the gate?' }], options)];
  } finally {
    await generator.dispose();
  }
}
