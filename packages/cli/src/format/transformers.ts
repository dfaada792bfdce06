import type { DownloadedFolder } from '@mhe/transformers';
import type { Calibration, RawCalibration } from '../calibration/calibration.js';
import type { ModelFormat, OpenModel, OpenOptions } from './format.js';

/**
 * Folders of transformers.js models: `config.json` and `onnx/`. The adapter, the library and the engine are loaded on first
 * use.
 */
export const transformersFormat: ModelFormat = {
  takes: ['files', 'dtypes'],
  recognises: ({ holds }) => holds('config.json') && holds('onnx'),
  open: async (folder, options) => transformersModel({ output: folder, read: async () => folder }, options),
};

/** Where a model of transformers.js is. */
export interface TransformersSource {
  /** The folder that no output may be in; `null` where it is not known yet. */
  readonly output: string | null;
  /** The folder, once it is on this machine. */
  read(): Promise<string | DownloadedFolder>;
}

/** A model of transformers.js, wherever it comes from. */
export async function transformersModel(
  source: TransformersSource,
  { files: names, dtypes, signal }: OpenOptions,
): Promise<OpenModel> {
  const files = names ?? ('all' as const);
  const { checkOutputFolder, inspectFolder, swapFolderFiles, writeSwappedFolder } = await import('@mhe/transformers');
  return {
    async inspect(options) {
      const { inspected } = await inspectFolder(await source.read(), { ...options, files, signal });
      return inspected.map(({ file, inspection, parameters, cachePerToken }) => ({
        file: file.path,
        inspection,
        size: { parameters, cachePerToken },
      }));
    },
    async swap({ calibration, ...options }) {
      const library = await import('@huggingface/transformers');
      const raw = rawOrMadeUp(calibration);
      const chosen = { files, ...(dtypes && { dtypes }) };
      const swapped = await swapFolderFiles(await source.read(), { ...options, ...chosen, calibration: raw, library });
      return {
        parts: swapped.files.map(({ file, report }) => ({ file: file.path, report })),
        write: (output, { force, signal }) => writeSwappedFolder(swapped, output, { force, signal }),
      };
    },
    async checkOutput(output, { externalData, force }) {
      checkOutputFolder(source.output, output, { force });
      if (externalData === 'auto') return [];
      return ['--external-data has no effect on transformers.js models, whose weights stay where they are'];
    },
  };
}

/** Files of one folder read different inputs, so none is given as the inputs of a graph. */
function rawOrMadeUp(calibration: Calibration) {
  if ('raw' in calibration) return calibration.raw satisfies RawCalibration['raw'];
  if ('synthetic' in calibration) return calibration;
  throw new Error(
    '--calibration gives inputs of one graph; give --data, texts or images that the tokenizer or processor of the model reads',
  );
}
