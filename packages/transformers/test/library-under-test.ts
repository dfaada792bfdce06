import { fileURLToPath } from 'node:url';
import type { TransformersLibrary } from '@mhe/transformers';

/** What the tests use of transformers.js, whatever its version. */
export interface LibraryUnderTest extends TransformersLibrary {
  pipeline(task: string, model: string, options: object): Promise<Pipeline>;
  readonly RawImage: TransformersLibrary['RawImage'] &
    (new (
      data: Uint8ClampedArray,
      width: number,
      height: number,
      channels: 3,
    ) => CalibrationPicture);
  readonly PreTrainedModel: TransformersLibrary['AutoModel'];
  readonly AutoModelForCausalLM: TransformersLibrary['AutoModel'];
  readonly AutoModelForSeq2SeqLM: TransformersLibrary['AutoModel'];
  readonly AutoModelForSpeechSeq2Seq: TransformersLibrary['AutoModel'];
  /** Of versions 3 and 4. */
  readonly TextStreamer: new (
    tokenizer: unknown,
    options: object,
  ) => object;
  /** Of version 4. */
  readonly random?: { seed(seed: number): void };
  readonly CLIPTextModelWithProjection: TransformersLibrary['AutoModel'];
  readonly CLIPVisionModelWithProjection: TransformersLibrary['AutoModel'];
}

type CalibrationPicture = {
  readonly data: Uint8ClampedArray;
  readonly width: number;
  readonly height: number;
  readonly channels: 3;
};

export interface Tensor {
  readonly data: ArrayLike<number>;
  readonly dims: readonly number[];
}

type Callable = (...inputs: unknown[]) => Promise<Record<string, Tensor>>;

export interface Pipeline {
  (...inputs: unknown[]): Promise<unknown>;
  dispose(): Promise<unknown>;
}

export const FIXTURES = fileURLToPath(new URL('./fixtures/', import.meta.url));

/** What makes every version load fp32. Version 2 writes into its options. */
const fp32 = () => ({ dtype: 'fp32', quantized: false });

/** Texts that the fixtures' tokenizers know the words of, as many as asked for. */
export function texts(count: number, from = 0): string[] {
  const subjects = [
    'the ferry',
    'a red kettle',
    'nine herons',
    'the library',
    'their dog',
    'a good knife',
    'the teacher',
  ];
  const verbs = ['leaves', 'sleeps under', 'whistles on', 'closes before', 'asked for', 'rose above'];
  const objects = ['the old iron stove', 'the garden wall', 'the water', 'the last train', 'fresh bread and beans'];
  return Array.from({ length: count }, (_, i) => {
    const n = i + from;
    const [subject, verb, object] = [subjects[n % 7], verbs[(n * 5 + 1) % 6], objects[(n * 3 + (n >> 2)) % 5]];
    return n % 3 === 0
      ? `${subject} ${verb} ${object}.`
      : `${subject} ${verb} ${object}, and ${subjects[(n * 2 + 3) % 7]} too`;
  });
}

/** A picture of waves, another one for every number. */
function picture({ RawImage }: LibraryUnderTest, number: number): CalibrationPicture {
  const data = Uint8ClampedArray.from({ length: 30 * 30 * 3 }, (_, i) => {
    const [x, y, c] = [Math.floor(i / 3) % 30, Math.floor(i / 90), i % 3];
    return 128 + 100 * Math.sin(x * (0.2 + 0.07 * number) + c) * Math.cos(y * (0.9 - 0.05 * number) + number);
  });
  return new RawImage(data, 30, 30, 3);
}

/** A second of sound, another one for every number. */
export function sound(number: number): Float32Array {
  return Float32Array.from(
    { length: 16000 },
    (_, i) => Math.sin((i * (number + 2)) / 40) * Math.sin(i / (900 + 99 * number)),
  );
}

/** What a fixture's own pipeline, or its model class, makes of inputs; only numbers. */
export interface Use {
  readonly name: string;
  run(library: LibraryUnderTest, model: string): Promise<number[]>;
}

const numbers = ({ data }: Tensor) => Array.from(data);

/** Runs a pipeline and frees it. */
async function piped(
  library: LibraryUnderTest,
  task: string,
  model: string,
  run: (use: Pipeline) => Promise<number[]>,
) {
  const loaded = await library.pipeline(task, model, fp32());
  try {
    return await run(loaded);
  } finally {
    await loaded.dispose();
  }
}

async function modelled(
  library: LibraryUnderTest,
  model: string,
  kind: 'CLIPTextModelWithProjection' | 'CLIPVisionModelWithProjection' | 'PreTrainedModel',
  options: object,
  inputs: () => Promise<unknown>,
) {
  const loaded = (await library[kind].from_pretrained(model, { ...fp32(), ...options })) as Callable & Pipeline;
  try {
    const outputs = await loaded(await inputs());
    return Object.values(outputs).flatMap(numbers);
  } finally {
    await loaded.dispose();
  }
}

const processed = async (library: LibraryUnderTest, model: string, input: unknown) =>
  ((await library.AutoProcessor.from_pretrained(model)) as Callable)(input);

/** Sentence embeddings. */
export const embed: Use = {
  name: 'feature-extraction',
  run: (library, model) =>
    piped(library, 'feature-extraction', model, async (use) =>
      numbers((await use(texts(3, 50), { pooling: 'mean', normalize: true })) as Tensor),
    ),
};

/** How every fixture is used. */
export const USES: Readonly<Record<string, readonly Use[]>> = {
  bert: [embed],
  roberta: [embed],
  mpnet: [embed],
  distilbert: [
    {
      name: 'text-classification',
      run: (library, model) =>
        piped(library, 'text-classification', model, async (use) =>
          ((await use(texts(4, 50))) as { label: string; score: number }[]).map(({ label, score }) =>
            label === 'POSITIVE' ? score : 1 - score,
          ),
        ),
    },
  ],
  vit: [
    {
      name: 'image-feature-extraction',
      run: (library, model) =>
        piped(library, 'image-feature-extraction', model, async (use) =>
          numbers((await use(picture(library, 20))) as Tensor),
        ),
    },
  ],
  clip: [
    {
      name: 'zero-shot-image-classification',
      run: (library, model) =>
        piped(library, 'zero-shot-image-classification', model, async (use) => {
          const labels = ['a red kettle', 'the snow', 'nine herons'];
          const found = (await use(picture(library, 20), labels)) as { label: string; score: number }[];
          return labels.map((label) => found.find((each) => each.label === label)?.score ?? Number.NaN);
        }),
    },
    {
      name: 'text tower',
      run: (library, model) =>
        modelled(library, model, 'CLIPTextModelWithProjection', {}, async () => {
          const tokenizer = (await library.AutoTokenizer.from_pretrained(model)) as Callable;
          return tokenizer(['a red kettle', 'the old iron stove'], { padding: true });
        }),
    },
    {
      name: 'image tower',
      run: (library, model) =>
        modelled(library, model, 'CLIPVisionModelWithProjection', {}, () =>
          processed(library, model, picture(library, 20)),
        ),
    },
  ],
  'whisper-planted': [
    {
      name: 'encoder',
      run: (library, model) =>
        modelled(library, model, 'PreTrainedModel', { model_file_name: 'encoder_model' }, () =>
          processed(library, model, sound(20)),
        ),
    },
  ],
};

/** Calibration inputs that any fixture can be swapped with. */
export function samples(library: LibraryUnderTest, model: string, count = 6) {
  const words = texts(count);
  if (model === 'vit') return words.map((_, i) => ({ image: picture(library, i) }));
  if (model === 'clip') return words.map((text, i) => ({ text, image: picture(library, i) }));
  if (model.startsWith('whisper')) return words.map((target, i) => ({ audio: sound(i), target }));
  return words;
}

/** Largest difference relative to the largest value. */
export function relativeDifference(actual: readonly number[], expected: readonly number[]): number {
  if (actual.length !== expected.length || expected.length === 0) return Number.NaN;
  const largest = Math.max(...expected.map(Math.abs));
  return Math.max(...actual.map((value, i) => Math.abs(value - (expected[i] as number)))) / largest;
}

/** Lets the library look for models in folders alone, and keep nothing. */
export function useFoldersAlone({ env }: LibraryUnderTest, cacheDir: string): void {
  Object.assign(env, { allowLocalModels: true, allowRemoteModels: false, useFSCache: false, cacheDir });
}
