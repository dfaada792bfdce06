import type { SwapReport } from '@mhe/onnx';
import { splitPath } from '../split-path.js';
import { fileKind } from './dtype.js';

/** How transformers.js is told to load a model. */
export interface Usage {
  /** The class that chooses among the library's models: `AutoModelForCausalLM`. */
  readonly autoModel: string;
  /** The pipeline that uses it; `null` where none is known. */
  readonly task: string | null;
  /** Which file, where the library would look for another. */
  readonly fileName: string | null;
}

/** What tells how a model is used. */
export interface UsageSigns {
  readonly config: Readonly<Record<string, unknown>>;
  /** The content of `preprocessor_config.json`; `null` where there is none. */
  readonly preprocessor: Readonly<Record<string, unknown>> | null;
  /** The model files of the folder, without endings: `model`. */
  readonly bases: readonly string[];
  /** Of the swapped files, by their paths. */
  readonly reports: Readonly<Record<string, SwapReport>>;
}

type Reads = 'text' | 'image' | 'audio';

/** Models of an encoder and a decoder, by what the encoder reads. */
const SEQUENCES: Readonly<Record<Reads, readonly [string, string]>> = {
  text: ['AutoModelForSeq2SeqLM', 'text2text-generation'],
  image: ['AutoModelForVision2Seq', 'image-to-text'],
  audio: ['AutoModelForSpeechSeq2Seq', 'automatic-speech-recognition'],
};

/** Models with a head, by how `architectures` in `config.json` ends; the names are those of versions 2 to 4. */
const HEADS: readonly (readonly [RegExp, string, string])[] = [
  [/(ForCausalLM|LMHeadModel)$/, 'AutoModelForCausalLM', 'text-generation'],
  [/ForMaskedLM$/, 'AutoModelForMaskedLM', 'fill-mask'],
  [/ForTokenClassification$/, 'AutoModelForTokenClassification', 'token-classification'],
  [/ForQuestionAnswering$/, 'AutoModelForQuestionAnswering', 'question-answering'],
  [/ForImageClassification(WithTeacher)?$/, 'AutoModelForImageClassification', 'image-classification'],
  [/ForObjectDetection$/, 'AutoModelForObjectDetection', 'object-detection'],
  [/ForSemanticSegmentation$/, 'AutoModelForSemanticSegmentation', 'image-segmentation'],
  [/ForDepthEstimation$/, 'AutoModelForDepthEstimation', 'depth-estimation'],
  [/ForCTC$/, 'AutoModelForCTC', 'automatic-speech-recognition'],
];

/** Tasks of models without a head. */
const FEATURES: Readonly<Record<Reads, string | null>> = {
  text: 'feature-extraction',
  image: 'image-feature-extraction',
  audio: null,
};

/**
 * How a model is used. What a file gives counts for more than what its configuration says of the model that was trained:
 * sentence encoders are often called `...ForMaskedLM`, and have no such head.
 */
export function usageOf({ config, preprocessor, bases, reports }: UsageSigns): Usage {
  const swapped = Object.keys(reports).map((file) => fileKind(splitPath(file).name).base);
  const outputs = new Set(Object.values(reports).flatMap(({ outputs }) => outputs.map(({ name }) => name)));
  const reads: Reads = preprocessor === null ? 'text' : 'sampling_rate' in preprocessor ? 'audio' : 'image';
  const merged = 'decoder_model_merged';
  if (bases.includes('encoder_model') && bases.some((base) => base.startsWith('decoder'))) {
    const [autoModel, task] = SEQUENCES[reads];
    return { autoModel, task, fileName: null };
  }
  const keepsTokens = Object.values(reports).some(({ cachePerToken }) => cachePerToken.before > 0);
  const decoder = swapped.find((base) => base === 'model' || base === merged) ?? null;
  if (keepsTokens && decoder !== null) {
    const fileName = decoder === 'model' ? null : decoder;
    return { autoModel: 'AutoModelForCausalLM', task: 'text-generation', fileName };
  }
  if (!swapped.includes('model')) return { autoModel: 'AutoModel', task: null, fileName: swapped[0] ?? null };
  if (outputs.has('text_embeds') && outputs.has('image_embeds')) {
    return { autoModel: 'AutoModel', task: 'zero-shot-image-classification', fileName: null };
  }
  if (outputs.has('last_hidden_state')) return { autoModel: 'AutoModel', task: FEATURES[reads], fileName: null };
  const head = headOf(config, reads);
  return { autoModel: head?.[0] ?? 'AutoModel', task: head?.[1] ?? null, fileName: null };
}

function headOf({ architectures }: UsageSigns['config'], reads: Reads): readonly [string, string] | undefined {
  const [name] = Array.isArray(architectures) ? architectures : [];
  if (typeof name !== 'string') return undefined;
  if (/For(Sequence|Audio)Classification$/.test(name)) {
    return reads === 'audio'
      ? ['AutoModelForAudioClassification', 'audio-classification']
      : ['AutoModelForSequenceClassification', 'text-classification'];
  }
  const found = HEADS.find(([ending]) => ending.test(name));
  return found && [found[1], found[2]];
}
