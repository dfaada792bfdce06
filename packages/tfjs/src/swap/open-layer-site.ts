import type {
  AttentionWeights,
  FitMoments,
  FoldedMheWeights,
  OpenSite,
  OutputMoments,
  Replaced,
  Replacement,
} from '@mhe/core';
import { Difference, FormError, IDENTITY_TOLERANCE, identityMhe, PROBED_FEEDS } from '@mhe/core';
import type { Tensor, Tensor2D, Tensor3D, Tensor4D } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { TfjsModel } from '../file/model.js';
import { type ObservedCall, observeCalls } from '../layers/observed-calls.js';
import { withLayers } from '../layers-model/load-layers.js';
import { type LayerReplacement, replaceAttention } from '../layers-model/replace-attention.js';
import { layerAt, runToLayer } from '../layers-model/run-layers.js';
import type { HostTensor, HostTensors } from '../run/host-tensor.js';
import { hostNumbers, toBackend, toHost } from '../run/host-tensor.js';
import type { AttentionPlace } from '../view-layers/attention-place.js';
import type { RunWatch } from './frontier.js';
import { OutputSums } from './output-sums.js';
import { StreamMoments } from './stream-moments.js';

/** What an open site needs of the backend. */
export interface LayerSiteContext {
  readonly original: TfjsModel;
  /** The original as TensorFlow.js has loaded it. */
  readonly loaded: LayersModel;
  readonly swapped: TfjsModel;
  readonly place: AttentionPlace;
  readonly weights: AttentionWeights;
  readonly feeds: readonly HostTensors[];
  readonly watch: RunWatch;
  /** Takes the model with the site replaced (`null`: kept). */
  readonly advance: (swapped: TfjsModel | null) => void;
}

/** Runs the original up to the site, and gives the pipeline its hold on it. */
export async function openLayerSite(context: LayerSiteContext): Promise<OpenSite> {
  const { loaded, place, feeds, watch } = context;
  const targets: HostTensor[] = [];
  await runToLayer(loaded, place.models, place.output.layer.name, feeds, watch, async (output) => {
    targets.push(await toHost(output));
  });
  return new LayerSite(context, targets);
}

class LayerSite implements OpenSite {
  readonly weights;
  /** A row that may see nothing spreads evenly in attention layers. */
  readonly emptyRows = false;
  readonly tokens;
  readonly identityTolerance = IDENTITY_TOLERANCE.float32;

  constructor(
    private readonly context: LayerSiteContext,
    private readonly targets: readonly HostTensor[],
  ) {
    this.weights = context.weights;
    const { cols } = context.weights.output.weight;
    this.tokens = targets.reduce((sum, { data }) => sum + data.length / cols, 0);
  }

  async verify(identity: FoldedMheWeights): Promise<number> {
    const { original, feeds, watch } = this.context;
    const difference = await this.compare(
      replaceAttention(original, this.context.place, identityReplacement(identity)),
      feeds.slice(0, PROBED_FEEDS),
      { signal: watch.signal },
    );
    return difference.relativeToLargest;
  }

  async moments(): Promise<FitMoments> {
    const { swapped, place, weights } = this.context;
    const sums = new StreamMoments();
    try {
      await this.observe(
        replaceAttention(swapped, place, identityReplacement(identityMhe(weights))),
        true,
        async (call) => {
          const { query, key, value } = call.streams;
          const rows = tf.reshape(query, [-1, query.shape[2]]) as Tensor2D;
          await sums.addQueries(rows).finally(() => rows.dispose());
          await sums.addKeysAndValues(key, value, call.probabilities as Tensor4D);
        },
      );
      return await sums.total();
    } finally {
      sums.dispose();
    }
  }

  async outputMoments(replacement: Replacement): Promise<readonly OutputMoments[]> {
    const sums = new OutputSums(this.context.feeds.length);
    try {
      await this.observe(this.replaced(replacement), false, async ({ context }, at) => {
        const target = toBackend(this.targets[at] as HostTensor);
        const [heads, size] = context.shape.slice(-2) as [number, number];
        const rows = tf.reshape(context, [-1, heads * size]) as Tensor2D;
        const wanted = tf.reshape(target, [-1, target.shape.at(-1) as number]) as Tensor2D;
        await sums.add(at, rows, wanted).finally(() => tf.dispose([target, rows, wanted]));
      });
      return await sums.total();
    } finally {
      sums.dispose();
    }
  }

  async replace(replacement: Replacement): Promise<Replaced> {
    const { feeds, watch, advance } = this.context;
    const swapped = this.replaced(replacement);
    const difference = await this.compare(swapped, feeds, watch);
    advance(swapped);
    return { ...chosenForm(replacement), outputError: difference.relative };
  }

  async keep(): Promise<void> {
    this.context.advance(null);
  }

  private replaced(replacement: Replacement): TfjsModel {
    return replaceAttention(this.context.swapped, this.context.place, layerReplacement(replacement));
  }

  private async compare(model: TfjsModel, feeds: readonly HostTensors[], watch: RunWatch): Promise<Difference> {
    const { place } = this.context;
    const difference = new Difference();
    await withLayers(model, (loaded) =>
      runToLayer(loaded, place.models, place.output.layer.name, feeds, watch, async (output, at) => {
        difference.add(hostNumbers(await toHost(output)), hostNumbers(this.targets[at] as HostTensor));
      }),
    );
    return difference;
  }

  /** Runs a model that has the site replaced, and tells what its new layer computes with every calibration input. */
  private async observe(
    model: TfjsModel,
    probabilities: boolean,
    use: (call: ObservedCall, at: number) => Promise<void>,
  ): Promise<void> {
    const { place, feeds, watch } = this.context;
    const { name } = place.output.layer;
    await withLayers(model, async (loaded) => {
      const layer = layerAt(loaded, place.models, name);
      let seen: ObservedCall | undefined;
      const forget = () => {
        if (seen)
          tf.dispose([
            ...Object.values(seen.streams),
            seen.context,
            ...(seen.probabilities ? [seen.probabilities] : []),
          ]);
        seen = undefined;
      };
      observeCalls(layer, {
        probabilities,
        see: (call) => {
          seen = kept(call);
        },
      });
      try {
        await runToLayer(loaded, place.models, name, feeds, watch, async (_output, at) => {
          await use(seen as ObservedCall, at);
          forget();
        });
      } finally {
        observeCalls(layer, null);
        forget();
      }
    });
  }
}

/** Copies of a call's tensors that outlive it. */
function kept({ streams, probabilities, context }: ObservedCall): ObservedCall {
  const keep = <T extends Tensor>(tensor: T): T => tf.keep(tensor.clone());
  const { query, key, value } = streams;
  return {
    streams: { query: keep<Tensor3D>(query), key: keep<Tensor3D>(key), value: keep<Tensor3D>(value) },
    probabilities: probabilities && keep(probabilities),
    context: keep(context),
  };
}

function identityReplacement(weights: FoldedMheWeights): LayerReplacement {
  return { weights, embedding: 'mul', form: 'folded', stored: 'float32' };
}

function layerReplacement({ weights, embedding, form }: Replacement): LayerReplacement {
  if (form === 'widened') throw new FormError(form, 'attention layers have heads on an axis of their own');
  return { weights, embedding, form, stored: 'as before' };
}

/** What the layer will do, and why. */
function chosenForm({ embedding, form }: Replacement): Pick<Replaced, 'form' | 'formReason'> {
  if (form !== 'auto') return { form, formReason: 'it was asked for' };
  if (embedding === 'mul') return { form: 'folded', formReason: 'the fastest for this embedding' };
  return { form: 'folded', formReason: 'the layer decides at every call, and takes the factorised form where it pays' };
}
