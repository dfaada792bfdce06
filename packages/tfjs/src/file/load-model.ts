import { io } from '@tensorflow/tfjs-core';
import { cutWeights } from './cut-weights.js';
import { formatOf, TfjsModel } from './model.js';
import { TfjsFileError } from './tfjs-file-error.js';
import { fixedByteLength } from './weight-bytes.js';

/**
 * Loads a model as TensorFlow.js does, in a page or a worker, to inspect and swap it there.
 *
 * ```ts
 * const { model } = await swap(await loadModel('/encoder/model.json'), { groups: { queryKey: 1, value: 'heads' } });
 * const encoder = await tf.loadGraphModel(model);
 * ```
 *
 * @param source - a URL, a place such as `indexeddb://encoder`, or a handler such as `tf.io.browserFiles(files)`.
 * @param options - what TensorFlow.js takes for a URL: `onProgress` is told shares from 0 to 1, `requestInit.signal`
 *   stops the loading.
 * @throws TfjsFileError where it is no model, or its weights do not fit the list; TensorFlow.js' own where it cannot be
 *   fetched.
 */
export async function loadModel(source: string | io.IOHandler, options: io.LoadOptions = {}): Promise<TfjsModel> {
  const name = typeof source === 'string' ? source : 'the model';
  const handler = typeof source === 'string' ? handlerFor(source, options) : source;
  if (!handler.load) throw new TfjsFileError(name, 'unreadable', 'its handler saves models and cannot load them');
  const { weightSpecs = [], weightData = new ArrayBuffer(0), modelTopology, ...fields } = await handler.load();
  const format = modelTopology && !(modelTopology instanceof ArrayBuffer) ? formatOf(modelTopology) : null;
  if (!modelTopology || format === null) {
    throw new TfjsFileError(name, 'not-tfjs', 'its topology has neither the nodes of a graph nor layers');
  }
  const buffers = [weightData].flat().map((buffer) => new Uint8Array(buffer));
  const found = buffers.reduce((total, { byteLength }) => total + byteLength, 0);
  const fixed = weightSpecs.map((spec) => fixedByteLength(spec, name));
  const least = fixed.reduce<number>((total, length) => total + (length ?? 0), 0);
  if (fixed.includes(null) ? found < least : found !== least) {
    const what = `its weights are ${found} bytes, but those it lists take ${least}`;
    throw new TfjsFileError(name, 'weights', what, 'Download the model again, with all its weight files');
  }
  return new TfjsModel(name, format, { ...fields, modelTopology }, cutWeights(name, weightSpecs, buffers));
}

function handlerFor(url: string, options: io.LoadOptions): io.IOHandler {
  const [handler] = io.getLoadHandlers(url, options);
  return handler ?? io.browserHTTPRequest(url, options);
}
