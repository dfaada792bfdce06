import type { OnnxModel } from '@mhe/onnx';
import { type EncoderFile, startToken } from '../calibration/encoder-file.js';
import type { NodeModules } from '../library/node-modules.js';
import { ModelFolderError } from '../model-folder-error.js';
import type { FileKind } from './dtype.js';
import type { ModelFolder } from './model-folder.js';

/** Whether a file is, as transformers.js calls it, an encoder whose output a decoder reads. */
export function isEncoder({ base }: FileKind): boolean {
  return base === 'encoder_model';
}

/** Files in the order to swap them: a decoder is fitted on what its swapped encoder gives. */
export function encodersFirst<File>(files: readonly File[], kindOf: (file: File) => FileKind): File[] {
  const isFirst = (file: File) => isEncoder(kindOf(file));
  return [...files.filter(isFirst), ...files.filter((file) => !isFirst(file))];
}

/**
 * The encoder of a model folder; `undefined` where it has none in fp32 or fp16.
 *
 * @param read - opens a file of the folder.
 */
export function encoderFileOf(
  node: NodeModules,
  { folder, files, config }: ModelFolder,
  read: (path: string) => Promise<OnnxModel>,
): EncoderFile | undefined {
  const encoders = files.filter(isEncoder);
  const file = encoders.find(({ dtype }) => dtype === 'fp32') ?? encoders.find(({ dtype }) => dtype === 'fp16');
  if (!file) return undefined;
  return {
    path: file.path,
    model: () => read(file.path),
    async start() {
      const path = node.path.join(folder, 'generation_config.json');
      const text = await node.fs.promises.readFile(path, 'utf8').catch(() => '{}');
      const start = startToken(JSON.parse(text), config);
      if (start !== undefined) return start;
      throw noStart(node.path.join(folder, 'config.json'));
    },
  };
}

/** That no configuration names a decoder's first token. */
export function noStart(file: string): ModelFolderError {
  const what = 'it names no decoder_start_token_id, so that nothing tells what its decoder reads first';
  return new ModelFolderError(file, 'calibration', what, 'Take the config.json of the model as it was published');
}
