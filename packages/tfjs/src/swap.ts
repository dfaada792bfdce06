import type { SwapOptions, SwapReport } from '@mhe/core';
import { ProgressCounter, swapSites, syntheticNotice } from '@mhe/core';
import type { TfjsModel } from './file/model.js';
import { findSites } from './inspect.js';
import type { Feed } from './run/check-feed.js';
import { checkFeed } from './run/check-feed.js';
import type { HostTensors } from './run/host-tensor.js';
import { modelInputs } from './run/model-inputs.js';
import { syntheticFeeds } from './run/synthetic-feeds.js';
import { GraphSwapBackend } from './swap/graph-backend.js';
import { modelSize } from './swap/model-size.js';

/** Options of {@link swap}: those of every adapter. Everything runs in the current backend of TensorFlow.js. */
export type TfjsSwapOptions = SwapOptions<Feed>;

/** What a swap gives. */
export interface TfjsSwapResult<Model> {
  /** The swapped model; the original itself where nothing was swapped (see `report.swapped`). It shares what is unchanged. */
  readonly model: Model;
  readonly report: SwapReport;
}

/** How often a site runs every calibration input: the original, the moments, the refit, the swapped block. */
const RUNS_PER_SITE = 4;

/**
 * Swaps multi-head attention for MHE in a model. Each site is first replaced by itself, which has to give the block's
 * own output on the calibration inputs; then its heads are fitted with shared projections, in closed form, and refitted
 * to the original's output.
 *
 * The model that is given is not changed. The report says what was gained, what it cost and what was left alone.
 *
 * @throws RangeError for options that do not fit the model; FormError where a form that was asked for cannot express a
 *   site; Error where a calibration input does not fit, or the backend fails.
 */
export async function swap(model: TfjsModel, options: TfjsSwapOptions = {}): Promise<TfjsSwapResult<TfjsModel>> {
  const { calibration = { synthetic: {} }, numHeads, onProgress, ...pipeline } = options;
  const { found, skipped, notices: remarks } = findSites(model, numHeads === undefined ? {} : { numHeads });
  const { feeds, kind, notices } = await calibrationFeeds(model, calibration);
  const progress = new ProgressCounter(onProgress);
  const { model: swapped, report } = await swapSites(
    {
      sites: found.map(({ site }) => site),
      skipped,
      calibration: { kind, sequences: feeds.length },
      notices: [...remarks, ...notices],
      size: modelSize(model),
    },
    { ...pipeline, onStage: (stage) => progress.enter(stage) },
    async (chosen) => {
      progress.expect((chosen.length * RUNS_PER_SITE + 2) * feeds.length);
      const blocks = found.filter(({ site }) => chosen.includes(site));
      return new GraphSwapBackend(model, blocks, {
        feeds,
        watch: { signal: pipeline.signal, onStep: () => progress.step() },
      });
    },
  );
  progress.finish();
  return { model: swapped ?? model, report };
}

async function calibrationFeeds(
  model: TfjsModel,
  calibration: NonNullable<TfjsSwapOptions['calibration']>,
): Promise<{
  readonly feeds: readonly HostTensors[];
  readonly kind: 'given' | 'synthetic';
  readonly notices: readonly string[];
}> {
  if ('synthetic' in calibration) {
    const { feeds, inputs } = syntheticFeeds(model, calibration.synthetic);
    return { feeds, kind: 'synthetic', notices: [syntheticNotice(inputs)] };
  }
  const inputs = modelInputs(model);
  const feeds: HostTensors[] = [];
  for (const feed of calibration) feeds.push(await checkFeed(inputs, feed, `calibration input ${feeds.length + 1}`));
  if (feeds.length === 0)
    throw new RangeError('calibration: there is no input in it; give at least one, or leave it out');
  return { feeds, kind: 'given', notices: [] };
}
