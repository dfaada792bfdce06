import type { SwapOptions, SwapReport } from '@mhe/core';
import { ProgressCounter, swapSites } from '@mhe/core';
import { GraphModel, loadGraphModel } from '@tensorflow/tfjs-converter';
import { type LayersModel, loadLayersModel } from '@tensorflow/tfjs-layers';
import { type AnyModel, toTfjsModel } from './file/live-model.js';
import { TfjsModel } from './file/model.js';
import { compileAs } from './layers-model/compile-as.js';
import { requireKernels } from './port/require-kernels.js';
import type { Feed } from './run/check-feed.js';
import { calibrationFeeds } from './swap/calibration.js';
import { modelSize } from './swap/model-size.js';
import { openSource } from './swap/swap-source.js';

/** Options of {@link swap}: those of every adapter. Everything runs in the current backend of TensorFlow.js. */
export type TfjsSwapOptions = SwapOptions<Feed>;

/** What a swap gives. */
export interface TfjsSwapResult<Model> {
  /**
   * The swapped model; the original itself where nothing was swapped (see `report.swapped`). A model as files hold it
   * shares what is unchanged; a loaded one shares nothing, and each has to be disposed of.
   */
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
 * What goes in comes out: a model as files hold it, or a `tf.LayersModel` or `tf.GraphModel` in the current backend. In a
 * model of layers, attention becomes a `MultiHeadEmbeddingAttention` layer: the model trains on, and is saved and, after
 * `registerLayers()`, loaded like any other. One that was compiled is compiled with the same loss, metrics and kind of
 * optimizer, which starts anew.
 *
 * The model that is given is not changed. The report says what was gained, what it cost and what was left alone.
 *
 * @throws RangeError for options that do not fit the model; FormError where a form that was asked for cannot express a
 *   site; Error where a calibration input does not fit, or the backend fails or lacks a kernel.
 */
export async function swap(model: TfjsModel, options?: TfjsSwapOptions): Promise<TfjsSwapResult<TfjsModel>>;
/** As for files, with a `tf.LayersModel` of the current backend, which trains on. */
export async function swap(model: LayersModel, options?: TfjsSwapOptions): Promise<TfjsSwapResult<LayersModel>>;
/** As for files, with a `tf.GraphModel` of the current backend. */
export async function swap(model: GraphModel, options?: TfjsSwapOptions): Promise<TfjsSwapResult<GraphModel>>;
export async function swap(model: AnyModel, options: TfjsSwapOptions = {}): Promise<TfjsSwapResult<AnyModel>> {
  const held = await toTfjsModel(model);
  const { model: swapped, report } = await swapHeld(held, options);
  if (model instanceof TfjsModel) return { model: swapped, report };
  if (swapped === held) return { model, report };
  if (model instanceof GraphModel) return { model: await loadGraphModel(swapped), report };
  return { model: compileAs(await loadLayersModel(swapped), model), report };
}

async function swapHeld(model: TfjsModel, options: TfjsSwapOptions): Promise<TfjsSwapResult<TfjsModel>> {
  const { calibration = { synthetic: {} }, numHeads, onProgress, ...pipeline } = options;
  requireKernels(model.name, 'swap');
  const source = await openSource(model, numHeads === undefined ? {} : { numHeads }, pipeline);
  try {
    const { found, skipped, notices: remarks } = source.finding;
    const { feeds, kind, notices } = await calibrationFeeds(source.inputs, source.inputUse, calibration);
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
        const sites = found.filter(({ site }) => chosen.includes(site));
        return source.start(sites, feeds, { signal: pipeline.signal, onStep: () => progress.step() });
      },
    );
    progress.finish();
    const said = report.swapped.flatMap(({ site }) => source.remark(site) ?? []);
    return { model: swapped ?? model, report: { ...report, notices: [...said, ...report.notices] } };
  } finally {
    source.dispose();
  }
}
