import type { OnnxModel } from './graph/model.js';
import type { Feed, FeedTensor } from './run/check-feed.js';
import { checkFeed } from './run/check-feed.js';
import { modelInputs } from './run/model-inputs.js';
import type { SessionOptions } from './run/session.js';
import { runAll } from './swap/frontier.js';

/**
 * Runs a model on some inputs, one after the other: what a model gives that stands before the one that is swapped, say.
 *
 * @param model - from `readModel`.
 * @param feeds - each an object from input name to (nested) numbers.
 * @param options - as of a swap: the runtime. Default: what the project has installed.
 * @returns all outputs for each, by name.
 * @throws Error where an input does not fit, or ONNX Runtime fails or is not installed.
 */
export async function runModel(
  model: OnnxModel,
  feeds: Iterable<Feed>,
  options: SessionOptions = {},
): Promise<Readonly<Record<string, FeedTensor>>[]> {
  const inputs = modelInputs(model);
  const checked = [...feeds].map((feed, i) => checkFeed(inputs, feed, `input ${i + 1}`));
  return runAll(model, checked, options);
}
