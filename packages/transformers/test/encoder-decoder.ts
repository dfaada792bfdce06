import type { Generator, Loaded, Tokenizer } from './generation.js';
import { logitsAndCaches, major, WAYS } from './generation.js';
import type { LibraryUnderTest, Tensor } from './library-under-test.js';
import { sound } from './library-under-test.js';

/** Fixtures of an encoder and a decoder, and the pipelines that use them. */
export const TASKS = {
  'bart-planted': ['summarization', 'text2text-generation'],
  't5-planted': ['text2text-generation'],
  'whisper-planted': ['automatic-speech-recognition'],
} as const;

export type EncoderDecoder = keyof typeof TASKS;

/** Version 2 writes into its options. */
const fp32 = () => ({ dtype: 'fp32', quantized: false });

const TEXT = 'The ferry leaves the garden wall';
const isHearing = (id: EncoderDecoder) => id === 'whisper-planted';

type Callable = (input: unknown) => Promise<Readonly<Record<string, Tensor>>>;

/** What the model reads. */
async function inputs(library: LibraryUnderTest, id: EncoderDecoder, tokenizer: Tokenizer) {
  if (!isHearing(id)) return tokenizer(TEXT);
  return ((await library.AutoProcessor.from_pretrained(id)) as Callable)(sound(20));
}

/** Everything that such a model does: logits and caches of a first step, each way of generating, each pipeline. */
export async function everything(library: LibraryUnderTest, id: EncoderDecoder) {
  const tokenizer = (await library.AutoTokenizer.from_pretrained(id)) as Tokenizer;
  const auto = isHearing(id) ? library.AutoModelForSpeechSeq2Seq : library.AutoModelForSeq2SeqLM;
  const model = (await auto.from_pretrained(id, fp32())) as Generator;
  const results: Record<string, unknown> = {};
  let first: Awaited<ReturnType<typeof firstStep>>;
  try {
    const read = await inputs(library, id, tokenizer);
    first = await firstStep(library, model, read);
    const loaded: Loaded = { library, tokenizer, model };
    if (isHearing(id)) results.greedy = await hear(loaded, read);
    else {
      for (const [name, { versions, run }] of Object.entries(WAYS)) {
        if (versions.includes(major(library))) results[name] = await run(loaded);
      }
    }
  } finally {
    await model.dispose();
  }
  for (const task of TASKS[id]) {
    const use = await library.pipeline(task, id, fp32());
    try {
      results[task] = await use(isHearing(id) ? sound(21) : TEXT, { max_new_tokens: 8 });
    } finally {
      await use.dispose();
    }
  }
  return { ...first, results };
}

/** The tokens that are heard in a sound. */
async function hear({ library, model }: Loaded, read: object) {
  const { input_features } = read as { readonly input_features: Tensor };
  const settings = { max_new_tokens: 12 };
  const heard = await (major(library) === 2
    ? model.generate(input_features, settings)
    : model.generate({ inputs: input_features, ...settings }));
  return JSON.stringify(heard, (_, value) => (typeof value === 'bigint' ? Number(value) : value));
}

async function firstStep(library: LibraryUnderTest, model: Generator, read: object) {
  const { Tensor } = library as unknown as {
    Tensor: new (type: string, data: BigInt64Array, dims: number[]) => Tensor;
  };
  const decoder_input_ids = new Tensor('int64', BigInt64Array.of(2n, 5n, 9n, 40n), [1, 4]);
  return logitsAndCaches(await model({ ...read, decoder_input_ids }));
}
