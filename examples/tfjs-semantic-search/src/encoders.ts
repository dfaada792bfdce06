import { type BackendName, type BackendObstacles, backendObstacles, useBackend } from '@mhe/example-page/backends';
import { type Rankings, rank } from '@mhe/example-page/rank';
import { unlessLost } from '@mhe/example-page/webgpu-backend';
import { embed, load, type Tokenizer } from '@mhe/example-sentence-encoder';
import type { GraphModel } from '@tensorflow/tfjs-converter';
import { io, memory } from '@tensorflow/tfjs-core';
import { readEncoder } from './read-encoder.js';

/** Size of a model, as stored and as it is in the backend. */
export interface ModelFacts {
  readonly parameters: number;
  /** Of the weights as files hold them. */
  readonly bytes: number;
  /** What loading it added to `tf.memory()`. */
  readonly memory: { readonly tensors: number; readonly bytes: number };
}

type ModelName = 'original' | 'swapped';

/** The encoders in one backend; lives in a worker. */
export class Encoders {
  private readonly artifacts = new Map<ModelName, io.ModelArtifacts>();
  private readonly models = new Map<ModelName, GraphModel>();
  private tokenize: Tokenizer = () => [];

  backendObstacles(): Promise<BackendObstacles> {
    return backendObstacles();
  }

  /** Fetches the original. */
  async fetch(folder: string, onProgress: (share: number) => void): Promise<void> {
    const { model, tokenize } = await readEncoder(folder, onProgress);
    this.tokenize = tokenize;
    this.artifacts.set('original', model.artifacts());
  }

  /** Loads the models that are there into a backend. */
  async use(backend: BackendName): Promise<Partial<Record<ModelName, ModelFacts>>> {
    for (const model of this.models.values()) model.dispose();
    this.models.clear();
    await useBackend(backend);
    const facts: Partial<Record<ModelName, ModelFacts>> = {};
    for (const name of this.artifacts.keys()) facts[name] = await this.load(name);
    return facts;
  }

  /** Puts a swapped model beside the original, in place of an earlier one. */
  async setSwapped(artifacts: io.ModelArtifacts): Promise<ModelFacts> {
    this.models.get('swapped')?.dispose();
    this.artifacts.set('swapped', artifacts);
    return this.load('swapped');
  }

  /** Ranks sentences by their nearness to a query. */
  rank(query: string, sentences: readonly string[]): Promise<Rankings> {
    const [original, swapped] = (['original', 'swapped'] as const).map((name) => {
      const model = this.models.get(name);
      return model ? (tokens: readonly number[]) => embed(model, tokens) : null;
    });
    if (!original) throw new Error('The encoder is not loaded yet.');
    return unlessLost(() => rank(original, swapped ?? null, this.tokenize(query), sentences.map(this.tokenize)));
  }

  private async load(name: ModelName): Promise<ModelFacts> {
    const artifacts = this.artifacts.get(name) as io.ModelArtifacts;
    const before = memory();
    this.models.set(name, await load(io.fromMemory(artifacts)));
    const after = memory();
    const specs = artifacts.weightSpecs ?? [];
    return {
      parameters: specs.reduce((sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1), 0),
      bytes: [artifacts.weightData ?? []].flat().reduce((sum, { byteLength }) => sum + byteLength, 0),
      memory: { tensors: after.numTensors - before.numTensors, bytes: after.numBytes - before.numBytes },
    };
  }
}
