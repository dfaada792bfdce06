import type { Finding, SwapOptions, SwapReport } from '@mhe/core';
import { ProgressCounter, swapSites, syntheticNotice } from '@mhe/core';
import type { OnnxModel } from './graph/model.js';
import type { OnnxFinding } from './inspect.js';
import { findSites } from './inspect.js';
import { firstStepFeed } from './merged/first-step-feed.js';
import { mergedBackend } from './merged/merged-backend.js';
import type { Feed } from './run/check-feed.js';
import { checkFeed } from './run/check-feed.js';
import type { HostTensors } from './run/host-tensor.js';
import { importRuntime } from './run/import-runtime.js';
import { modelInputs } from './run/model-inputs.js';
import type { SessionOptions } from './run/session.js';
import { RuntimeError } from './run/session.js';
import { syntheticFeeds } from './run/synthetic-feeds.js';
import { checkSwapOptions } from './swap/check-swap-options.js';
import { modelSize } from './swap/model-size.js';
import { OnnxSwapBackend } from './swap/onnx-backend.js';
import { OriginalError } from './swap/original-error.js';

/** Options of {@link swap}: those of every adapter, and how ONNX Runtime is run. */
export type OnnxSwapOptions = SwapOptions<Feed> & SessionOptions;

/** What a swap gives. */
export interface OnnxSwapResult {
  /** The swapped model; the original itself where nothing was swapped (see `report.swapped`). It shares what is unchanged. */
  readonly model: OnnxModel;
  readonly report: SwapReport;
}

/** How often a site runs every calibration input: the original, what is before the block, the moments, the refit, the swapped block. */
const RUNS_PER_SITE = 5;

/**
 * Swaps multi-head attention for MHE in an ONNX model. Each site is first replaced by itself, which has to give the
 * block's own output on the calibration inputs; then its heads are fitted with shared projections, in closed form,
 * and refitted to the original's output.
 *
 * The model that is given is not changed. The report says what was gained, what it cost and what was left alone.
 *
 * @throws RangeError for options that do not fit the model; FormError where a form that was asked for cannot express a
 *   site; Error where a calibration input does not fit, or ONNX Runtime fails or is not installed.
 */
export async function swap(model: OnnxModel, options: OnnxSwapOptions = {}): Promise<OnnxSwapResult> {
  checkSwapOptions(options);
  const { calibration = { synthetic: {} }, numHeads } = options;
  const finding = findSites(model, numHeads === undefined ? {} : { numHeads });
  if (typeof calibration !== 'object' || !('synthetic' in calibration) || calibration.synthetic.length !== undefined) {
    return swapOn(model, finding, calibrationOf(model, finding, calibration), options);
  }
  // Nothing to swap: no inputs have to be made up to find that out.
  if (finding.found.length === 0) return swapOn(model, finding, { feeds: [], kind: 'synthetic', notices: [] }, options);
  // What a model leaves open it may still bound: by its table of positions, or by sizes frozen at export.
  let failure: OriginalError | undefined;
  const failed: number[] = [];
  for (const length of SYNTHETIC_LENGTHS) {
    const made = calibrationOf(model, finding, { synthetic: { ...calibration.synthetic, length } });
    const retried = failure ? [`made-up inputs of length ${failed.join(', ')} did not run: ${failure.message}`] : [];
    try {
      return await swapOn(model, finding, { ...made, notices: [...made.notices, ...retried] }, options);
    } catch (error) {
      if (!(error instanceof OriginalError)) throw error;
      failure ??= error;
      failed.push(length);
    }
  }
  throw new RuntimeError(
    `${failure?.message} (made-up inputs of lengths ${failed.join(', ')} were tried; give calibration inputs of your own)`,
    { cause: failure },
  );
}

/** Lengths of made-up inputs, where none is asked for. */
const SYNTHETIC_LENGTHS = [32, 16, 8, 6, 4];

/** Inputs to calibrate on, and what the report says of them. */
interface Calibration {
  readonly feeds: readonly HostTensors[];
  readonly kind: 'given' | 'synthetic';
  readonly notices: readonly string[];
}

async function swapOn(
  model: OnnxModel,
  { found, skipped, notices: remarks, merged }: OnnxFinding,
  calibration: Calibration,
  options: OnnxSwapOptions,
): Promise<OnnxSwapResult> {
  const { calibration: _, numHeads: __, onProgress, runtime, threads, executionProviders, ...pipeline } = options;
  const { feeds, kind, notices } = calibration;
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
      const session: SessionOptions = {
        runtime: runtime ?? (await importRuntime()),
        ...(threads !== undefined && { threads }),
        ...(executionProviders !== undefined && { executionProviders }),
      };
      progress.expect((chosen.length * RUNS_PER_SITE + 1) * feeds.length);
      const blocks = found.filter(({ site }) => chosen.includes(site));
      const run = { feeds, session, watch: { signal: pipeline.signal, onStep: () => progress.step() } };
      if (!merged) return new OnnxSwapBackend(model, blocks, run);
      const pairs = merged.pairs.filter(({ site }) => chosen.includes(site));
      return mergedBackend(merged, pairs, run);
    },
  );
  progress.finish();
  return { model: swapped ?? model, report };
}

function calibrationOf(
  model: OnnxModel,
  { found, merged }: OnnxFinding,
  calibration: NonNullable<OnnxSwapOptions['calibration']>,
): Calibration {
  if (typeof calibration !== 'object' || !('synthetic' in calibration || Symbol.iterator in calibration)) {
    throw new RangeError(
      'calibration: give a list of inputs (each an object from input name to numbers), or { synthetic }',
    );
  }
  if ('synthetic' in calibration) {
    const { feeds, inputs } = syntheticFeeds(merged?.first ?? model, {
      ...calibration.synthetic,
      empty: emptyCaches(found),
    });
    return { feeds, kind: 'synthetic', notices: [syntheticNotice(inputs)] };
  }
  const inputs = modelInputs(model);
  const caches = new Set([...emptyCaches(found).keys(), ...inputs.map(({ name }) => name).filter(looksLikeCache)]);
  const check = merged ? firstStepFeed(merged.decoder) : checkFeed;
  const feeds = [...calibration].map((feed, i) => check(inputs, feed, `calibration input ${i + 1}`, caches));
  if (feeds.length === 0)
    throw new RangeError('calibration: there is no input in it; give at least one, or leave it out');
  return { feeds, kind: 'given', notices: [] };
}

/** The axes of positions of all caches: made-up inputs are whole sequences. */
function emptyCaches(found: Finding['found']): ReadonlyMap<string, number> {
  const caches = found.flatMap(({ site }) => [site.cache?.key, site.cache?.value]);
  return new Map(caches.flatMap((cache) => (cache ? [[cache.past, cache.axes.indexOf('sequence')] as const] : [])));
}

/** Caches of attention that is left alone are caches, too. */
function looksLikeCache(input: string): boolean {
  return /past|cache/i.test(input);
}
