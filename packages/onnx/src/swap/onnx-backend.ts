import type {
  AttentionSite,
  BlockReplacement,
  Finished,
  FoundSite,
  OpenSite,
  SkippedSite,
  SwapBackend,
} from '@mhe/core';
import type { GraphProto } from 'onnx-buf';
import { contractBlocks } from '../graph/contract-blocks.js';
import { edit } from '../graph/edit.js';
import { graphIndex } from '../graph/graph-index.js';
import type { OnnxModel } from '../graph/model.js';
import { planStages } from '../graph/plan-stages.js';
import { sortNodes } from '../graph/sort-nodes.js';
import type { HostTensors } from '../run/host-tensor.js';
import type { SessionOptions } from '../run/session.js';
import type { FloatDtype } from '../tensor/dtype.js';
import { blockNodes } from './block-nodes.js';
import type { BlockStage } from './block-stage.js';
import { blockStage } from './block-stage.js';
import type { Frontier, RunWatch } from './frontier.js';
import { forEach, only, partBetween } from './frontier.js';
import { modelSize } from './model-size.js';
import { openSite } from './open-site.js';
import { ofOriginal } from './original-error.js';
import { OutputDifferences } from './output-differences.js';
import { replaceBlock } from './replace-block.js';

/** What the backend is made of. */
export interface OnnxBackendOptions {
  readonly feeds: readonly HostTensors[];
  readonly session: SessionOptions;
  readonly watch: RunWatch;
  /** Told of every block that is replaced. */
  readonly onReplaced?: (site: AttentionSite, replacement: BlockReplacement & { readonly dtype: FloatDtype }) => void;
}

/**
 * Runs a model in stages, each ending with a site, in ONNX Runtime: for every calibration input once as it was and
 * once as swapped so far. No session holds more than one stage's weights, and no stage is computed twice.
 */
export class OnnxSwapBackend implements SwapBackend<OnnxModel> {
  readonly sites: readonly AttentionSite[];
  readonly skipped: readonly SkippedSite[];
  private readonly model: OnnxModel;
  private readonly places: readonly BlockStage[];
  private readonly wanted: readonly string[];
  private result: OnnxModel;
  private original: Frontier;
  private swapped: Frontier;
  private at = 0;

  constructor(
    model: OnnxModel,
    found: readonly FoundSite[],
    private readonly options: OnnxBackendOptions,
  ) {
    const graph = sortNodes(model.proto.graph as GraphProto);
    this.model = { ...model, proto: edit(model.proto, { graph }) };
    this.result = model;
    const index = graphIndex(graph);
    const accepted: { readonly site: FoundSite; readonly nodes: readonly number[] }[] = [];
    const skipped: SkippedSite[] = [];
    for (const site of found) {
      const nodes = blockNodes(index, site.block);
      try {
        contractBlocks(index, [...accepted.map((entry) => entry.nodes), nodes]);
        accepted.push({ site, nodes });
      } catch (error) {
        const reason = `it cannot be cut out of the graph: ${(error as Error).message}`;
        skipped.push({ name: site.site.name, reason, nodes: [site.site.name] });
      }
    }
    const stages = planStages(
      index,
      accepted.map(({ nodes }) => nodes),
    );
    const entries = stages.flatMap((stage) => {
      const entry = stage.block === null ? undefined : accepted[stage.block];
      return entry ? [{ site: entry.site.site, place: blockStage(index, stage, entry.site.block, entry.nodes) }] : [];
    });
    this.lastStage = stages.at(-1) as BlockStage['stage'];
    this.sites = entries.map(({ site }) => site);
    this.places = entries.map(({ place }) => place);
    this.skipped = skipped;
    this.wanted = [...index.outputs];
    this.original = options.feeds;
    this.swapped = options.feeds;
  }

  private readonly lastStage: BlockStage['stage'];

  async open(site: AttentionSite): Promise<OpenSite> {
    const place = this.places[this.at];
    if (!place || this.sites[this.at] !== site) throw new TypeError(`${site.name} is not the next site`);
    const { session, watch } = this.options;
    const prefix = sitePrefix(site);
    return openSite({
      model: this.model,
      place,
      prefix,
      session,
      watch,
      original: this.original,
      swapped: this.swapped,
      advance: (original, swapped, replacement) => {
        // Only what later stages read is kept, and the caller's own feeds.
        const kept = [...Object.keys(this.options.feeds[0] ?? {}), ...place.stage.held];
        const isSame = original === swapped;
        this.original = only(original, kept);
        this.swapped = isSame ? this.original : only(swapped, kept);
        if (replacement) {
          this.result = replaceBlock(this.result, place, replacement, replacement.dtype, prefix);
          this.options.onReplaced?.(site, replacement);
        }
        this.at++;
      },
    });
  }

  async finish(): Promise<Finished<OnnxModel>> {
    const differences = new OutputDifferences(this.wanted);
    await this.runLast((before, after) => differences.add(before, after));
    const [was, is] = [modelSize(this.model), modelSize(this.result)];
    return {
      model: this.result,
      parameters: { before: was.parameters, after: is.parameters },
      bytes: { before: was.bytes, after: is.bytes },
      outputs: differences.all(),
    };
  }

  /** What every input gives in the end, of the original and of the model as swapped, one input at a time. */
  private async runLast(each: (before: HostTensors, after: HostTensors) => void): Promise<void> {
    const { session, watch } = this.options;
    const { inputs, outputs } = this.lastStage;
    const { original, swapped } = this;
    const isSame = original === swapped;
    if (outputs.length === 0) {
      original.forEach((values, at) => {
        each(values, swapped[at] as HostTensors);
      });
      return;
    }
    // No block is in the last stage, so that one session serves both.
    const part = partBetween(this.model, original, inputs, outputs);
    await forEach(part, original, session, watch, async (run, values, at) => {
      const before = { ...values, ...(await ofOriginal(() => run.run(values))) };
      if (isSame) return each(before, before);
      const now = swapped[at] as HostTensors;
      each(before, { ...now, ...(await run.run(now)) });
    });
  }
}

/** Start of the names of what a site's replacement adds. */
export function sitePrefix({ index }: AttentionSite): string {
  return `mhe/${index}`;
}
