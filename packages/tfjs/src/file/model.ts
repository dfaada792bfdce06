import type { io } from '@tensorflow/tfjs-core';

/** What a model's topology is: a converted TensorFlow graph, or Keras layers. */
export type TfjsFormat = 'graph-model' | 'layers-model';

/** One weight as a model stores it, quantised ones in their bytes. */
export interface StoredWeight {
  readonly spec: io.WeightsManifestEntry;
  readonly bytes: Uint8Array;
}

/** Everything that `model.json` says besides the weights: topology, signature, versions, whatever else it holds. */
export type ModelFields = Readonly<Record<string, unknown>> & { readonly modelTopology: object };

/**
 * A TensorFlow.js model in memory, as its files hold it. It is an `IOHandler`, so that TensorFlow.js loads it directly:
 * `await tf.loadGraphModel(model)`, or `tf.loadLayersModel(model)`.
 */
export class TfjsModel implements io.IOHandler {
  /**
   * @param name - what messages call the model, usually its path.
   * @param origin - absolute path of the file it was read from; `null` for one from elsewhere.
   */
  constructor(
    readonly name: string,
    readonly format: TfjsFormat,
    readonly fields: ModelFields,
    readonly weights: readonly StoredWeight[],
    readonly origin: string | null = null,
  ) {}

  /** The model with its weights in one buffer, which is a copy. */
  async load(): Promise<io.ModelArtifacts> {
    return this.artifacts();
  }

  /** As {@link TfjsModel.load}, at once. */
  artifacts(): io.ModelArtifacts {
    const weightData = new Uint8Array(this.weights.reduce((total, { bytes }) => total + bytes.byteLength, 0));
    let at = 0;
    for (const { bytes } of this.weights) {
      weightData.set(bytes, at);
      at += bytes.byteLength;
    }
    return { ...this.fields, weightSpecs: this.weights.map(({ spec }) => spec), weightData: weightData.buffer };
  }

  /** The same model with another topology and other weights; it stands for no file any more than this one. */
  with(change: { readonly modelTopology?: object; readonly weights?: readonly StoredWeight[] }): TfjsModel {
    const { modelTopology = this.fields.modelTopology, weights = this.weights } = change;
    return new TfjsModel(this.name, this.format, { ...this.fields, modelTopology }, weights, this.origin);
  }
}

/** What a topology is, told by what it holds: old converters do not say. */
export function formatOf(topology: object): TfjsFormat | null {
  if ('node' in topology) return Array.isArray(topology.node) ? 'graph-model' : null;
  return 'model_config' in topology || 'class_name' in topology || 'config' in topology ? 'layers-model' : null;
}
