import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as library from '@huggingface/transformers';
import { type FeedTensor, readModel, runModel, swap } from '@mhe/onnx';
import { swapFolderFiles } from '@mhe/transformers';
import { beforeAll, describe, expect, it } from 'vitest';
import { modelEncoder } from '../src/calibration/encoder.js';
import { calibrationFeeds } from '../src/calibration/feeds.js';
import { FIXTURES, type LibraryUnderTest, samples, type Tensor, texts } from './library-under-test.js';

beforeAll(() => {
  Object.assign(library.env, { allowRemoteModels: false, useFSCache: false, localModelPath: FIXTURES });
});

/** Tensors as the library makes them. */
type Encoded = Record<string, Tensor>;

describe('calibration inputs', () => {
  const onnx = (name: string) => readModel(join(FIXTURES, name, 'onnx/model.onnx'));
  const plain = ({ data, dims }: Tensor) => ({ data: Array.from(data, Number), dims: [...dims] });

  it('are what the tokenizer makes of texts, cut at what the model can take', async () => {
    const long = `${texts(1)[0]} `.repeat(40);
    const given = [...texts(5), long];
    const tokenizer = await library.AutoTokenizer.from_pretrained('bert');
    const feeds = given.map((text) => {
      const { input_ids, attention_mask, token_type_ids } = tokenizer(text, { truncation: true }) as Encoded;
      return {
        input_ids: plain(input_ids as Tensor),
        attention_mask: plain(attention_mask as Tensor),
        token_type_ids: plain(token_type_ids as Tensor),
      };
    });
    expect(feeds.at(-1)?.input_ids.dims).toEqual([1, 48]);
    const expected = await swap(await onnx('bert'), { calibration: feeds });
    const { files } = await swapFolderFiles(join(FIXTURES, 'bert'), { library, calibration: given });
    expect(files[0]?.report).toEqual(expected.report);
  });

  it('are what a decoder is fed first: positions, and caches of none', async () => {
    const given = texts(3);
    const tokenizer = await library.AutoTokenizer.from_pretrained('llama');
    const feeds = given.map((text) => {
      const { input_ids, attention_mask } = tokenizer(text) as Encoded;
      const length = (input_ids as Tensor).dims[1] as number;
      const caches = ['0.key', '0.value', '1.key', '1.value'].map((name) => [
        `past_key_values.${name}`,
        { dims: [1, 2, 0, 8], data: [] },
      ]);
      return {
        input_ids: plain(input_ids as Tensor),
        attention_mask: plain(attention_mask as Tensor),
        position_ids: { dims: [1, length], data: Array.from({ length }, (_, i) => i) },
        ...Object.fromEntries(caches),
      };
    });
    const expected = await swap(await onnx('llama'), { calibration: feeds });
    const { files } = await swapFolderFiles(join(FIXTURES, 'llama'), { library, calibration: given });
    expect(files[0]?.report).toEqual(expected.report);
  });

  it('are what a decoder is fed that reads an encoder: what that makes of the text when it is swapped, and the text from its start', async () => {
    const given = texts(3);
    const tokenizer = await library.AutoTokenizer.from_pretrained('t5-planted');
    const file = (name: string) => readModel(join(FIXTURES, 't5-planted/onnx', name));
    const sources = given.map((text) => {
      const { input_ids, attention_mask } = tokenizer(text) as Encoded;
      return { input_ids: plain(input_ids as Tensor), attention_mask: plain(attention_mask as Tensor) };
    });
    const { model: before } = await swap(await file('encoder_model.onnx'), { groups: 2, calibration: sources });
    const encoded = await runModel(before, sources);
    const feeds = sources.map(({ input_ids: { data, dims }, attention_mask }, i) => ({
      // T5 starts with the padding's 0; the last token is what it is to give.
      input_ids: { data: [0, ...data.slice(0, -1)], dims },
      encoder_attention_mask: attention_mask,
      encoder_hidden_states: encoded[i]?.last_hidden_state as FeedTensor,
    }));
    const expected = await swap(await file('decoder_model_merged.onnx'), { groups: 2, calibration: feeds });
    const options = { library, groups: 2, calibration: given };
    const { files } = await swapFolderFiles(join(FIXTURES, 't5-planted'), options);
    expect(files[0]?.report).toEqual({
      ...expected.report,
      notices: [
        ...expected.report.notices,
        '3 of 3 calibration inputs have no target: the decoder was fitted on writing their own text; give { source, target }',
      ],
    });
  });

  it('are what the encoder makes of a source, and the target from its start', async () => {
    const [sources, targets] = [texts(3), texts(3, 20)];
    const tokenizer = await library.AutoTokenizer.from_pretrained('t5-planted');
    const feeds = sources.map((text) => {
      const { input_ids, attention_mask } = tokenizer(text) as Encoded;
      return { input_ids: plain(input_ids as Tensor), attention_mask: plain(attention_mask as Tensor) };
    });
    const file = (name: string) => readModel(join(FIXTURES, 't5-planted/onnx', name));
    const before = await swap(await file('encoder_model.onnx'), { calibration: feeds });
    const encoded = await runModel(before.model, feeds);
    const calibration = feeds.map(({ attention_mask }, i) => {
      const { data, dims } = plain((tokenizer(targets[i] as string) as Encoded).input_ids as Tensor);
      return {
        input_ids: { data: [0, ...data.slice(0, -1)], dims },
        encoder_attention_mask: attention_mask,
        encoder_hidden_states: encoded[i]?.last_hidden_state as FeedTensor,
      };
    });
    const expected = await swap(await file('decoder_model_merged.onnx'), { calibration });
    const pairs = sources.map((source, i) => ({ source, target: targets[i] as string }));
    const { files, options } = await swapFolderFiles(join(FIXTURES, 't5-planted'), { library, calibration: pairs });
    expect(files[0]?.report).toEqual(expected.report);
    expect(files[1]?.report).toEqual(before.report);
    const others = await swapFolderFiles(join(FIXTURES, 't5-planted'), {
      library,
      sites: [],
      calibration: pairs.map(({ source }) => ({ source, target: source })),
    });
    expect(others.options.calibration).not.toEqual(options.calibration);
  });

  it('have targets only where something is decoded', async () => {
    const pairs = texts(3).map((source) => ({ source, target: 'bread' }));
    const { files } = await swapFolderFiles(join(FIXTURES, 'gpt2'), { library, calibration: pairs });
    expect(files[0]?.report.notices).toEqual([
      expect.stringMatching(/^the calibration inputs have/),
      'the targets of 3 calibration inputs had no effect: the model has no encoder_model to decode',
    ]);
  });

  it.each<[string, unknown, RegExp]>([
    [
      'half a pair',
      { source: 'the ferry' },
      /^calibration input 2: source and target are a text each; give a plain text/,
    ],
    [
      'what is none',
      null,
      /^calibration input 2: it is null; give a text, \{ source, target \} or \{ text, image, audio \}$/,
    ],
  ])('are not %s', async (_, input, says) => {
    const calibration = ['the ferry', input as string];
    await expect(swapFolderFiles(join(FIXTURES, 'bert'), { library, calibration })).rejects.toThrow(says);
  });

  it('have to have a transcript where a decoder writes what is heard', async () => {
    const audio = samples(library as unknown as LibraryUnderTest, 'whisper-planted', 2).map((sample) => ({
      audio: (sample as { audio: Float32Array }).audio,
    }));
    const swapping = swapFolderFiles(join(FIXTURES, 'whisper-planted'), { library, calibration: audio });
    await expect(swapping).rejects.toThrow(
      /decoder_model_merged\.onnx: it needs audio and target, and none of the 2 calibration inputs has that\. Give inputs such as \{ audio: \.\.\., target: \.\.\. \}/,
    );
  });

  it('are refused where a file reads what nothing makes', async () => {
    const encoder = modelEncoder(library, (pretrained) => pretrained.from_pretrained('gpt2'));
    const model = await readModel(
      fileURLToPath(new URL('../../onnx/test/fixtures/decoy-bart-with-past-optimum18.onnx', import.meta.url)),
    );
    await expect(calibrationFeeds(model, [{ text: 'the ferry' }], encoder)).rejects.toThrow(
      /decoy-bart-with-past-optimum18\.onnx: it reads .*encoder.*, which no tokenizer or processor makes of a text, image or sound\. Leave the file out \(files\)/,
    );
  });

  it('are what the processor makes of images', async () => {
    const given = samples(library as unknown as LibraryUnderTest, 'vit', 3) as { image: library.RawImage }[];
    const processor = await library.AutoProcessor.from_pretrained('vit');
    const feeds = await Promise.all(
      given.map(async ({ image }) => ({
        pixel_values: plain(((await processor(image)) as Encoded).pixel_values as Tensor),
      })),
    );
    const expected = await swap(await onnx('vit'), { calibration: feeds });
    const { files } = await swapFolderFiles(join(FIXTURES, 'vit'), { library, calibration: given });
    expect(files[0]?.report).toEqual(expected.report);
  });
});
