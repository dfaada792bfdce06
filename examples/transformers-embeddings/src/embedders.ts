import type { FeatureExtractionPipeline } from '@huggingface/transformers';
import type { Obstacles } from '@mhe/example-page/backend-choice';
import { fileProgress } from '@mhe/example-page/file-progress';
import type { ModelPlace } from '@mhe/example-page/model-place';
import { type Rankings, rank } from '@mhe/example-page/rank';
import { type Dials, swapOptions } from '@mhe/example-page/swap-options';
import { lookIn, pipeline } from '@mhe/example-page/transformers';
import { webgpuObstacle } from '@mhe/example-page/webgpu-obstacle';
import type { MheLoadOptions } from '@mhe/transformers';

export type Device = 'wasm' | 'webgpu';

/** How the vectors of a text's tokens become one. */
export type Pooling = 'mean' | 'cls';

/** What loading a model showed. */
export interface ModelFacts {
  /** Of the model's files. */
  readonly bytes: number;
  /** With the files in the browser's cache, or on the page's own server. */
  readonly loadMilliseconds: number;
}

type ModelName = 'original' | 'swapped';

/** The models on one device; lives in a worker. */
export class Embedders {
  private readonly models = new Map<ModelName, FeatureExtractionPipeline>();
  private place: ModelPlace | null = null;
  private device: Device = 'wasm';
  private swap: MheLoadOptions | null = null;

  async deviceObstacles(): Promise<Obstacles<Device>> {
    return {
      wasm: typeof WebAssembly === 'object' ? null : 'this browser has no WebAssembly',
      webgpu: await webgpuObstacle(),
    };
  }

  /** Fetches a model, in place of those that are there; `use` loads it. */
  async fetch(place: ModelPlace, onProgress: (share: number) => void): Promise<void> {
    await this.dispose();
    this.swap = null;
    this.place = place;
    const fetched = await this.open('original', (_, share) => onProgress(share));
    await fetched.dispose();
  }

  /** Loads the models that are there onto a device. */
  async use(device: Device): Promise<Partial<Record<ModelName, ModelFacts>>> {
    await this.dispose();
    this.device = device;
    const original = await this.load('original');
    return this.swap ? { original, swapped: await this.load('swapped') } : { original };
  }

  /** Loads the swapped model, in place of an earlier one, out of the cache that a swap with these dials has filled. */
  async setSwapped(dials: Dials): Promise<ModelFacts> {
    this.swap = swapOptions(dials);
    return this.load('swapped');
  }

  /** Ranks texts by their nearness to a query. */
  rank(query: string, texts: readonly string[], pooling: Pooling): Promise<Rankings> {
    const [original, swapped] = (['original', 'swapped'] as const).map((name) => {
      const model = this.models.get(name);
      if (!model) return null;
      return async (text: string) => (await model(text, { pooling, normalize: true })).data as Float32Array;
    });
    if (!original) throw new Error('No model is loaded: choose one.');
    return rank(original, swapped ?? null, query, texts);
  }

  private async load(name: ModelName): Promise<ModelFacts> {
    await this.models.get(name)?.dispose();
    this.models.delete(name);
    let bytes = 0;
    const start = performance.now();
    const model = await this.open(name, (ofModel) => {
      bytes = ofModel;
    });
    const loadMilliseconds = performance.now() - start;
    this.models.set(name, model);
    return { bytes, loadMilliseconds };
  }

  private async open(
    name: ModelName,
    onProgress: (bytes: number, share: number) => void,
  ): Promise<FeatureExtractionPipeline> {
    if (!this.place) throw new Error('No model is chosen.');
    return pipeline<FeatureExtractionPipeline>('feature-extraction', lookIn(this.place), {
      dtype: 'fp32',
      device: this.device,
      ...(name === 'swapped' && this.swap && { mhe: this.swap }),
      progress_callback: fileProgress(onProgress),
    });
  }

  private async dispose(): Promise<void> {
    for (const model of this.models.values()) await model.dispose();
    this.models.clear();
  }
}
