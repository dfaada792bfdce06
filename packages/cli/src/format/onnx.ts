import { graphCalibration } from '../calibration/calibration.js';
import type { ModelFormat, WeightPlacement } from './format.js';
import { checkOutputFile } from './output-path.js';

/**
 * ONNX models, run by ONNX Runtime. The adapter and the engine are loaded on first use, so that `mhe count` and
 * `mhe --help` start at once.
 */
export const onnxFormat: ModelFormat = {
  takes: [],
  recognises: ({ isFolder }) => !isFolder,
  async open(path, { signal }) {
    const { inspect, readModel, swap, writeModel } = await import('@mhe/onnx');
    const model = await readModel(path, { signal });
    const files = (output: string, placement: WeightPlacement) => {
      const hasData = placement === 'always' || (placement === 'auto' && model.externalData.size > 0);
      return hasData ? [output, `${output}.data`] : [output];
    };
    return {
      inspect: async (options) => [{ file: null, inspection: inspect(model, options) }],
      async swap(options) {
        const calibration = graphCalibration(options.calibration);
        const runtime = await import('onnxruntime-node');
        const { model: swapped, report } = await swap(model, { ...options, calibration, runtime });
        return {
          parts: [{ file: null, report }],
          async write(output, writeOptions) {
            const { path, dataPath, byteLength } = await writeModel(swapped, output, writeOptions);
            return { folder: null, files: dataPath === null ? [path] : [path, dataPath], byteLength, notices: [] };
          },
        };
      },
      async checkOutput(output, { externalData, force }) {
        for (const file of files(output, externalData)) await checkOutputFile(path, file, force);
        return [];
      },
    };
  },
};
