import type { Obstacles } from './backend-choice.js';
import { fileProgress } from './file-progress.js';
import type { ModelPlace } from './model-place.js';
import { type Dials, swapOptions } from './swap-options.js';
import { webgpuObstacle } from './webgpu-obstacle.js';

export type Device = 'wasm' | 'webgpu';

export type ModelName = 'original' | 'swapped';

/** What loading a model showed. */
export interface ModelFacts {
  /** Of the model's files. */
  readonly bytes: number;
  /** With the files in the browser's cache, or on the page's own server. */
  readonly loadMilliseconds: number;
}

/** How the library loads a model here. */
export interface PairLoadOptions {
  readonly dtype: 'fp32';
  readonly device: Device;
  readonly mhe?: ReturnType<typeof swapOptions>;
  readonly progress_callback: ReturnType<typeof fileProgress>;
}

/** A model of transformers.js and its swapped twin on one device; a page has it in a worker, with what it does with them. */
export abstract class ModelPair<Model extends { dispose(): Promise<unknown> }> {
  protected readonly models = new Map<ModelName, Model>();
  private place: ModelPlace | null = null;
  private device: Device = 'wasm';
  private dials: Dials | null = null;

  /** Has the library load the model of a place. */
  protected abstract load(place: ModelPlace, options: PairLoadOptions): Promise<Model>;

  async deviceObstacles(): Promise<Obstacles<Device>> {
    return {
      wasm: typeof WebAssembly === 'object' ? null : 'this browser has no WebAssembly',
      webgpu: await webgpuObstacle(),
    };
  }

  /** Fetches a model, in place of those that are there; `use` loads it. */
  async fetch(place: ModelPlace, onProgress: (share: number) => void): Promise<void> {
    await this.dispose();
    this.dials = null;
    this.place = place;
    const fetched = await this.open('original', (_, share) => onProgress(share));
    await fetched.dispose();
  }

  /** Loads the models that are there onto a device. */
  async use(device: Device): Promise<Partial<Record<ModelName, ModelFacts>>> {
    await this.dispose();
    this.device = device;
    const original = await this.put('original');
    return this.dials ? { original, swapped: await this.put('swapped') } : { original };
  }

  /** Loads the swapped model, in place of an earlier one, out of the cache that a swap with these dials has filled. */
  async setSwapped(dials: Dials): Promise<ModelFacts> {
    this.dials = dials;
    return this.put('swapped');
  }

  private async put(name: ModelName): Promise<ModelFacts> {
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

  private async open(name: ModelName, onProgress: (bytes: number, share: number) => void): Promise<Model> {
    if (!this.place) throw new Error('No model is chosen.');
    return this.load(this.place, {
      dtype: 'fp32',
      device: this.device,
      ...(name === 'swapped' && this.dials && { mhe: swapOptions(this.dials) }),
      progress_callback: fileProgress(onProgress),
    });
  }

  private async dispose(): Promise<void> {
    for (const model of this.models.values()) await model.dispose();
    this.models.clear();
  }
}
