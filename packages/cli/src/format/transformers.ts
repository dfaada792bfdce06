import type { Calibration, RawCalibration } from '../calibration/calibration.js';
import type { ModelFormat } from './format.js';

/**
 * Folders of transformers.js models: `config.json` and `onnx/`. The adapter, the library and the engine are loaded on first
 * use.
 */
export const transformersFormat: ModelFormat = {
  recognises: ({ holds }) => holds('config.json') && holds('onnx'),
  async open(folder, signal) {
    const { checkOutputFolder, inspectFolder, swapFolderFiles, writeSwappedFolder } = await import('@mhe/transformers');
    return {
      async inspect(options) {
        const { inspected } = await inspectFolder(folder, { ...options, signal });
        return inspected.map(({ file, inspection }) => ({ file: file.path, inspection }));
      },
      async swap({ calibration, ...options }) {
        const library = await import('@huggingface/transformers');
        const swapped = await swapFolderFiles(folder, { ...options, calibration: rawOrMadeUp(calibration), library });
        return {
          parts: swapped.files.map(({ file, report }) => ({ file: file.path, report })),
          write: (output, { force, signal }) => writeSwappedFolder(swapped, output, { force, signal }),
        };
      },
      async checkOutput(output, { externalData, force }) {
        checkOutputFolder(folder, output, { force });
        if (externalData === 'auto') return [];
        return ['--external-data has no effect on transformers.js models, whose weights stay where they are'];
      },
    };
  },
};

/** Files of one folder read different inputs, so none is given as the inputs of a graph. */
function rawOrMadeUp(calibration: Calibration) {
  if ('raw' in calibration) return calibration.raw satisfies RawCalibration['raw'];
  if ('synthetic' in calibration) return calibration;
  throw new Error(
    '--calibration gives inputs of one graph; give --data, texts or images that the tokenizer or processor of the model reads',
  );
}
