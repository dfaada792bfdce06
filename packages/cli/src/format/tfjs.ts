import { graphCalibration } from '../calibration/calibration.js';
import type { ModelFormat } from './format.js';
import { checkOutputFolder } from './output-path.js';

/**
 * Models of TensorFlow.js: a `model.json`, by whatever name, or the folder that holds one. The adapter and the engine are
 * loaded on first use.
 */
export const tfjsFormat: ModelFormat = {
  takes: [],
  recognises: ({ path, isFolder, holds }) => (isFolder ? holds('model.json') : /\.json$/i.test(path)),
  async open(path, { signal }) {
    const { inspect, readModel, swap, writeModel } = await import('@mhe/tfjs');
    const model = await readModel(path, { signal });
    return {
      async inspect(options) {
        if (model.format === 'graph-model') return [{ file: null, inspection: await inspect(model, options) }];
        // TensorFlow.js builds a model of layers to tell what they are.
        const { withTfjsBackend } = await import('./tfjs-backend.js');
        const { result } = await withTfjsBackend(async () => inspect(model, options));
        return [{ file: null, inspection: result }];
      },
      async swap(options) {
        const { withTfjsBackend } = await import('./tfjs-backend.js');
        const calibration = graphCalibration(options.calibration);
        const { result, notices } = await withTfjsBackend(() => swap(model, { ...options, calibration }));
        const report = { ...result.report, notices: [...notices, ...result.report.notices] };
        return {
          parts: [{ file: null, report }],
          async write(output, { force, signal }) {
            const { files, byteLength } = await writeModel(result.model, output, { force, signal });
            return { folder: null, files, byteLength, notices: [] };
          },
        };
      },
      async checkOutput(output, { externalData, force }) {
        if (/\.json$/i.test(output)) {
          throw new Error(`the output ${output} has the name of a file; name a folder, as the model is several files`);
        }
        await checkOutputFolder(model.origin, output, force);
        if (externalData === 'auto') return [];
        return ['--external-data has no effect on TensorFlow.js models, whose weights are always files of their own'];
      },
    };
  },
};
