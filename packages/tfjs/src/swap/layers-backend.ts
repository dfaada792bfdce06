import type { AttentionSite, Finished, FoundSite, Groups, OpenSite, SkippedSite, SwapBackend } from '@mhe/core';
import { Difference, groupCount } from '@mhe/core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { TfjsModel } from '../file/model.js';
import { MultiHeadEmbeddingAttention } from '../layers/multi-head-embedding-attention-layer.js';
import { withLayers } from '../layers-model/load-layers.js';
import { runLayers } from '../layers-model/run-layers.js';
import type { HostTensor, HostTensors } from '../run/host-tensor.js';
import { hostNumbers, toHost } from '../run/host-tensor.js';
import type { AttentionPlace } from '../view-layers/attention-place.js';
import type { LayerFinding } from '../view-layers/find-layer-sites.js';
import type { RunWatch } from './frontier.js';
import { modelSize } from './model-size.js';
import { openLayerSite } from './open-layer-site.js';

/** What the backend is made of. */
export interface LayersBackendOptions {
  readonly feeds: readonly HostTensors[];
  readonly watch: RunWatch;
  /** What the swap asks for. */
  readonly groups: Groups;
}

/**
 * Runs a model of layers in the current backend of TensorFlow.js, for every site from the model's inputs up to the site:
 * TensorFlow.js starts no model in the middle.
 */
export class LayersSwapBackend implements SwapBackend<TfjsModel> {
  readonly sites: readonly AttentionSite[];
  readonly skipped: readonly SkippedSite[];
  private readonly places: readonly { readonly found: FoundSite; readonly place: AttentionPlace }[];
  private result: TfjsModel;
  private at = 0;

  /** @param loaded - the model as TensorFlow.js has loaded it. */
  constructor(
    private readonly model: TfjsModel,
    private readonly loaded: LayersModel,
    finding: LayerFinding,
    chosen: readonly FoundSite[],
    private readonly options: LayersBackendOptions,
  ) {
    const all = chosen.map((found) => ({ found, place: finding.places.get(found) as AttentionPlace }));
    const reasons = all.map(({ found, place }) => nothingToShare(found.site, place, options.groups));
    this.places = all.filter((_, i) => reasons[i] === null);
    this.sites = this.places.map(({ found }) => found.site);
    this.skipped = all.flatMap(({ found: { site } }, i) => {
      const reason = reasons[i];
      return reason ? [{ name: site.name, reason, nodes: [site.name] }] : [];
    });
    this.result = model;
  }

  async open(site: AttentionSite): Promise<OpenSite> {
    const entry = this.places[this.at];
    if (!entry || entry.found.site !== site) throw new TypeError(`${site.name} is not the next site`);
    const { feeds, watch } = this.options;
    return openLayerSite({
      original: this.model,
      loaded: this.loaded,
      swapped: this.result,
      place: entry.place,
      weights: entry.found.block.weights(),
      feeds,
      watch,
      advance: (swapped) => {
        if (swapped) this.result = swapped;
        this.at++;
      },
    });
  }

  async finish(): Promise<Finished<TfjsModel>> {
    const { feeds, watch } = this.options;
    const names = this.loaded.outputNames;
    const expected: HostTensor[][] = [];
    await runLayers(this.loaded, feeds, watch, async (outputs) => {
      expected.push(await Promise.all(outputs.map(toHost)));
    });
    const differences = names.map(() => new Difference());
    await withLayers(this.result, (swapped) =>
      runLayers(swapped, feeds, watch, async (outputs, at) => {
        for (const [i, output] of outputs.entries()) {
          if (output.dtype !== 'float32') continue;
          differences[i]?.add(hostNumbers(await toHost(output)), hostNumbers(expected[at]?.[i] as HostTensor));
        }
      }),
    );
    const [was, is] = [modelSize(this.model), modelSize(this.result)];
    return {
      model: this.result,
      parameters: { before: was.parameters, after: is.parameters },
      bytes: { before: was.bytes, after: is.bytes },
      outputs: names.map((name, i) => (differences[i] as Difference).toOutput(name)),
    };
  }
}

/** Why a site has nothing to gain, as a sentence; `null` where it has. */
function nothingToShare({ numHeads }: AttentionSite, place: AttentionPlace, groups: Groups): string | null {
  if (place.kind === 'heads' || !(place.layer instanceof MultiHeadEmbeddingAttention)) return null;
  const has = { queryKey: groupCount(place.layer.groups.queryKey), value: groupCount(place.layer.groups.value) };
  const asked = typeof groups === 'object' ? groups : { queryKey: groups, value: groups };
  const count = (groups: number | 'heads') => (groups === 'heads' ? numHeads : groups);
  if (has.queryKey > count(asked.queryKey) || has.value > count(asked.value)) return null;
  return `it is multi-head-embedding attention already, of ${has.queryKey} query-key and ${has.value} value groups`;
}
