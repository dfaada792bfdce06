import type { Feed, FeedTensor, OnnxModel } from '@mhe/onnx';
import { ModelFolderError } from '../model-folder-error.js';
import type { CalibrationSample, Modality } from './calibration-input.js';
import { decoderInputs } from './decoder-inputs.js';
import type { Encoded, Encoder } from './encoder.js';
import type { RunnableEncoder } from './encoder-file.js';

/** The inputs that tell what a model reads. */
const MODALITIES: Readonly<Record<string, Modality>> = {
  input_ids: 'text',
  pixel_values: 'image',
  input_features: 'audio',
  input_values: 'audio',
};

/** Feeds of a model, and what the report has to say of them. */
export interface CalibrationFeeds {
  readonly feeds: readonly Feed[];
  readonly notices: readonly string[];
}

/** What a decoder reads of an encoder. */
const ENCODED = 'encoder_hidden_states';

/**
 * Feeds of one `.onnx` file out of those samples that have all that it reads, one sample a feed. A decoder that reads an
 * encoder's output gets what the encoder makes of the sample, and the sample's target, or failing that its text, as what it
 * is to write.
 *
 * @param source - the model's encoder, if it has one in a file of its own.
 * @throws ModelFolderError where it reads nothing that a tokenizer or processor makes, or no sample has what it reads.
 */
export async function calibrationFeeds(
  model: OnnxModel,
  samples: readonly CalibrationSample[],
  encoder: Encoder,
  source?: RunnableEncoder,
): Promise<CalibrationFeeds> {
  const inputs = modelInputs(model);
  const before = source && inputs.some(({ name }) => name === ENCODED) ? await source.model() : undefined;
  const read = modalities(before ? modelInputs(before) : inputs);
  if (read.length === 0) throw unknownInputs(model, inputs);
  const needed = before ? [...read, 'target'] : read;
  const isUsable = (sample: CalibrationSample) =>
    read.every((modality) => sample[modality] !== undefined) && (!before || written(sample) !== undefined);
  const usable = samples.filter(isUsable);
  if (usable.length === 0) {
    const what = `it needs ${needed.join(' and ')}, and none of the ${samples.length} calibration inputs has that`;
    const remedy = `Give inputs such as { ${needed.map((part) => `${part}: ...`).join(', ')} }, or leave the file out (files)`;
    throw new ModelFolderError(model.name, 'calibration', what, remedy);
  }
  const feeds =
    source && before
      ? await decoderFeeds(model, usable, encoder, source, before)
      : await eachFed(model, usable, (sample) => encode(sample, read, encoder));
  const notices: string[] = [];
  const unused = samples.length - usable.length;
  if (unused > 0)
    notices.push(`${unused} of ${samples.length} calibration inputs were not used: they lack ${needed.join(' or ')}`);
  const repeated = usable.filter(({ target }) => target === undefined).length;
  if (before && read.includes('text') && repeated > 0) {
    notices.push(
      `${repeated} of ${usable.length} calibration inputs have no target: the decoder was fitted on writing their own text; give { source, target }`,
    );
  }
  const targets = usable.filter(({ target }) => target !== undefined).length;
  if (!source && targets > 0) {
    notices.push(
      `the targets of ${targets} calibration inputs had no effect: the model has no encoder_model to decode`,
    );
  }
  return { feeds, notices };
}

/** What a decoder is to write. */
function written({ target, text }: CalibrationSample): string | undefined {
  return target ?? text;
}

type Input = ReturnType<typeof modelInputs>[number];

function modalities(inputs: readonly Input[]): Modality[] {
  return [...new Set(inputs.flatMap(({ name }) => MODALITIES[name] ?? []))];
}

/** A feed for each sample, of all inputs of the file. */
async function eachFed<Sample>(
  model: OnnxModel,
  samples: readonly Sample[],
  encode: (sample: Sample, at: number) => Promise<Encoded>,
): Promise<Feed[]> {
  const inputs = modelInputs(model);
  const feeds: Feed[] = [];
  for (const [at, sample] of samples.entries()) {
    const given = withDefaults(inputs, await encode(sample, at));
    const missing = inputs.filter(({ name }) => given[name] === undefined);
    if (missing.length > 0) throw unknownInputs(model, missing);
    feeds.push(Object.fromEntries(inputs.map(({ name }) => [name, tensor(given[name] as FeedTensor)])));
  }
  return feeds;
}

/** The encoder's output, and the tokens of the target as the decoder has them before it: from its start, the last left out. */
async function decoderFeeds(
  model: OnnxModel,
  samples: readonly CalibrationSample[],
  encoder: Encoder,
  source: RunnableEncoder,
  before: OnnxModel,
): Promise<Feed[]> {
  const start = await source.start();
  const read = modalities(modelInputs(before));
  const sources = await eachFed(before, samples, (sample) => encode(sample, read, encoder));
  const outputs = await source.run(before, sources);
  return eachFed(model, samples, async (sample, at) => {
    // Every sample here has what is to be written.
    const { input_ids: ids } = await encoder.text(written(sample) as string);
    const output = outputs[at] ?? {};
    const encoded = output.last_hidden_state ?? Object.values(output)[0];
    const mask = sources[at]?.attention_mask as FeedTensor | undefined;
    return {
      ...(ids && { input_ids: shifted(ids, start) }),
      ...(encoded && { [ENCODED]: encoded }),
      ...(mask && { encoder_attention_mask: mask }),
    };
  });
}

/** Some tokenizers put the start there themselves. */
function shifted({ data, dims }: FeedTensor, start: number): FeedTensor {
  const ids = Array.from(data, Number);
  const tokens = ids[0] === start ? ids : [start, ...ids];
  const kept = tokens.length > 1 ? tokens.slice(0, -1) : tokens;
  return { data: kept, dims: dims.with(-1, kept.length) };
}

function unknownInputs(model: OnnxModel, inputs: readonly { readonly name: string }[]): ModelFolderError {
  const names = inputs.map(({ name }) => name).join(', ');
  const what = `it reads ${names}, which no tokenizer or processor makes of a text, image or sound`;
  return new ModelFolderError(model.name, 'calibration', what, 'Leave the file out (files), or swap it with @mhe/onnx');
}

/** Inputs of the graph; old models list their weights among them. */
function modelInputs({ proto: { graph } }: OnnxModel) {
  const weights = new Set(graph?.initializer.map(({ name }) => name));
  return (graph?.input ?? []).filter(({ name }) => !weights.has(name));
}

async function encode(sample: CalibrationSample, needed: readonly Modality[], encoder: Encoder): Promise<Encoded> {
  const parts: Encoded = {};
  for (const modality of needed) {
    // Every sample here has what is needed.
    if (modality === 'text') Object.assign(parts, await encoder.text(sample.text as string));
    else if (modality === 'image')
      Object.assign(parts, await encoder.image(sample.image as NonNullable<typeof sample.image>));
    else Object.assign(parts, await encoder.audio(sample.audio as Float32Array));
  }
  return parts;
}

/** What was encoded, and what the library adds to it; segments are all the first where none are given. */
function withDefaults(inputs: ReturnType<typeof modelInputs>, encoded: Encoded): Encoded {
  const ids = encoded.input_ids;
  const token_type_ids = ids && { dims: ids.dims, data: new Uint8Array(ids.data.length) };
  return { ...(token_type_ids && { token_type_ids }), ...decoderInputs(inputs, encoded), ...encoded };
}

/** The library's tensors are proxies that read slowly. */
function tensor({ data, dims }: FeedTensor): FeedTensor {
  return { data, dims: [...dims] };
}
