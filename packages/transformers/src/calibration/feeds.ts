import type { Feed, FeedTensor, OnnxModel } from '@mhe/onnx';
import { ModelFolderError } from '../model-folder-error.js';
import type { CalibrationSample, Modality } from './calibration-input.js';
import { decoderInputs } from './decoder-inputs.js';
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
  const inputs = modelInputs(model);
  const needed = [...new Set(inputs.flatMap(({ name }) => MODALITIES[name] ?? []))];
  if (needed.length === 0) throw unknownInputs(model, inputs);
  const usable = samples.filter((sample) => needed.every((modality) => sample[modality] !== undefined));
  if (usable.length === 0) {
    const what = `it reads ${needed.join(' and ')}, and none of the ${samples.length} calibration inputs has that`;
    const remedy = `Give inputs such as { ${needed.map((modality) => `${modality}: ...`).join(', ')} }, or leave the file out (files)`;
    throw new ModelFolderError(model.name, 'calibration', what, remedy);
  }
  const feeds: Feed[] = [];
  for (const sample of usable) {
    const given = withDefaults(inputs, await encode(sample, needed, encoder));
    const missing = inputs.filter(({ name }) => given[name] === undefined);
    if (missing.length > 0) throw unknownInputs(model, missing);
    feeds.push(Object.fromEntries(inputs.map(({ name }) => [name, tensor(given[name] as FeedTensor)])));
  }
  const unused = samples.length - usable.length;
  return {
    feeds,
    notices:
      unused === 0
        ? []
        : [`${unused} of ${samples.length} calibration inputs were not used: they lack ${needed.join(' or ')}`],
  };
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
