import type { Feed, FeedTensor, OnnxModel } from '@mhe/onnx';
import { ModelFolderError } from '../model-folder-error.js';
import type { CalibrationSample, Modality } from './calibration-input.js';
import type { Encoded, Encoder } from './encoder.js';

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

/**
 * Feeds of one `.onnx` file out of those samples that have all that it reads, one sample a feed.
 *
 * @throws ModelFolderError where it reads nothing that a tokenizer or processor makes, or no sample has what it reads.
 */
export async function calibrationFeeds(
  model: OnnxModel,
  samples: readonly CalibrationSample[],
  encoder: Encoder,
): Promise<CalibrationFeeds> {
  const inputs = inputNames(model);
  const needed = [...new Set(inputs.flatMap((name) => MODALITIES[name] ?? []))];
  if (needed.length === 0) {
    const what = `it reads ${inputs.join(', ')}, which no tokenizer or processor makes of a text, image or sound`;
    throw new ModelFolderError(
      model.name,
      'calibration',
      what,
      'Leave the file out (files), or swap it with @mhe/onnx',
    );
  }
  const usable = samples.filter((sample) => needed.every((modality) => sample[modality] !== undefined));
  if (usable.length === 0) {
    const what = `it reads ${needed.join(' and ')}, and none of the ${samples.length} calibration inputs has that`;
    const remedy = `Give inputs such as { ${needed.map((modality) => `${modality}: ...`).join(', ')} }, or leave the file out (files)`;
    throw new ModelFolderError(model.name, 'calibration', what, remedy);
  }
  const feeds: Feed[] = [];
  for (const sample of usable) feeds.push(feed(inputs, await encode(sample, needed, encoder)));
  const unused = samples.length - usable.length;
  return {
    feeds,
    notices:
      unused === 0
        ? []
        : [`${unused} of ${samples.length} calibration inputs were not used: they lack ${needed.join(' or ')}`],
  };
}

/** Inputs of the graph; old models list their weights among them. */
function inputNames({ proto: { graph } }: OnnxModel): string[] {
  const weights = new Set(graph?.initializer.map(({ name }) => name));
  return (graph?.input ?? []).map(({ name }) => name).filter((name) => !weights.has(name));
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

/** What the model reads of what was encoded; as in the library, segments are all the first where none are given. */
function feed(inputs: readonly string[], encoded: Encoded): Feed {
  const ids = encoded.input_ids;
  const given: Record<string, FeedTensor> = { ...encoded };
  if (ids !== undefined) given.token_type_ids ??= { dims: ids.dims, data: new Uint8Array(ids.data.length) };
  return Object.fromEntries(inputs.flatMap((name) => (given[name] === undefined ? [] : [[name, tensor(given[name])]])));
}

/** The library's tensors are proxies that read slowly. */
function tensor({ data, dims }: FeedTensor): FeedTensor {
  return { data, dims: [...dims] };
}
