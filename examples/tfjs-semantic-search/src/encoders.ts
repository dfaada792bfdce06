import { type BackendName, type BackendObstacles, backendObstacles, useBackend } from '@mhe/example-page/backends';
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

/** What one model makes of the sentences. */
export interface Ranking {
  /** Cosine of each sentence to the query. */
  readonly scores: readonly number[];
  /** Median time of a sentence. */
  readonly milliseconds: number;
}

/** What the models make of the sentences. */
export interface Rankings {
  readonly original: Ranking;
  /** With the mean cosine of its vectors to the original's. */
  readonly swapped: (Ranking & { readonly likeOriginal: number }) | null;
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

  /** Ranks sentences by their nearness to a query, the models taking turns sentence by sentence. */
  async rank(query: string, sentences: readonly string[]): Promise<Rankings> {
    const names = [...this.models.keys()];
    const vectors = new Map(names.map((name) => [name, [] as Float32Array[]]));
    const times = new Map(names.map((name) => [name, [] as number[]]));
    for (const sentence of [query, ...sentences]) {
      const tokens = this.tokenize(sentence);
      for (const [name, model] of this.models) {
        const start = performance.now();
        vectors.get(name)?.push(await embed(model, tokens));
        times.get(name)?.push(performance.now() - start);
      }
    }
    const ranking = (name: ModelName): Ranking | null => {
      const [asked, ...others] = vectors.get(name) ?? [];
      return asked
        ? { scores: others.map((other) => cosine(asked, other)), milliseconds: median(times.get(name)) }
        : null;
    };
    const [original, swapped] = [ranking('original'), ranking('swapped')];
    if (!original) throw new Error('The encoder is not loaded yet.');
    const [first, second] = [vectors.get('original') ?? [], vectors.get('swapped') ?? []];
    const likeOriginal = second.reduce((sum, vector, i) => sum + cosine(vector, first[i] ?? vector) / second.length, 0);
    return { original, swapped: swapped && { ...swapped, likeOriginal } };
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

/** Cosine of vectors of unit length. */
function cosine(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, x, i) => sum + x * (b[i] ?? Number.NaN), 0);
}

function median(values: readonly number[] = []): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}
