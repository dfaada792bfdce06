import { type SeededRandom, seededRandom } from '@mhe/core';
import { type BackendName, type BackendObstacles, backendObstacles, useBackend } from '@mhe/example-page/backends';
import { memory } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { drawBatch } from './characters.js';
import { characterModel } from './model.js';
import { kinds, type PerKind, perKind } from './sizes.js';
import { writeOn } from './write-on.js';

/** What one step did. */
export interface StepReport {
  /** From 1. */
  readonly step: number;
  /** Nats a character, before the step changed anything. */
  readonly losses: PerKind<number>;
  readonly milliseconds: PerKind<number>;
  readonly memory: { readonly tensors: number; readonly bytes: number };
  /** What each writes, after every {@link writeEvery} steps. */
  readonly writing: PerKind<string> | null;
}

const writeEvery = 50;

/** Trains all kinds of attention side by side; lives in a worker. */
export class Trainer {
  private models: PerKind<LayersModel> | null = null;
  private random: SeededRandom = seededRandom(0);
  private step = 0;
  private running = false;
  private loop: Promise<void> = Promise.resolve();

  backendObstacles(): Promise<BackendObstacles> {
    return backendObstacles();
  }

  /**
   * Begins anew, ready for step 1.
   *
   * @returns the parameters of each model.
   */
  async reset(backend: BackendName, seed: number): Promise<PerKind<number>> {
    await this.pause();
    for (const kind of kinds) this.models?.[kind].dispose();
    await useBackend(backend);
    const models = perKind((kind) => characterModel(kind, seed));
    this.models = models;
    this.random = seededRandom(seed);
    this.step = 0;
    return perKind((kind) => models[kind].countParams());
  }

  /**
   * Trains until {@link Trainer.pause}.
   *
   * @param onStep - is waited for, so that no report comes late.
   */
  run(onStep: (report: StepReport) => void | Promise<void>): Promise<void> {
    this.running = true;
    this.loop = this.train(onStep);
    return this.loop;
  }

  /** Ends after the step that is under way. */
  async pause(): Promise<void> {
    this.running = false;
    await this.loop;
  }

  private async train(onStep: (report: StepReport) => void | Promise<void>): Promise<void> {
    while (this.running && this.models) {
      await onStep(await this.trainStep(this.models));
      // A turn of the event loop, in which messages such as a pause come in.
      await new Promise((resolve) => setTimeout(resolve));
    }
  }

  private async trainStep(models: PerKind<LayersModel>): Promise<StepReport> {
    const { input, target } = drawBatch(this.random);
    const losses: Record<string, number> = {};
    const milliseconds: Record<string, number> = {};
    for (const kind of kinds) {
      const start = performance.now();
      losses[kind] = (await models[kind].trainOnBatch(input, target)) as number;
      milliseconds[kind] = performance.now() - start;
    }
    input.dispose();
    target.dispose();
    this.step++;
    const { numTensors, numBytes } = memory();
    return {
      step: this.step,
      losses: losses as PerKind<number>,
      milliseconds: milliseconds as PerKind<number>,
      memory: { tensors: numTensors, bytes: numBytes },
      writing: this.step % writeEvery === 0 ? await this.write(models) : null,
    };
  }

  private async write(models: PerKind<LayersModel>): Promise<PerKind<string>> {
    const writing: Record<string, string> = {};
    for (const kind of kinds) writing[kind] = await writeOn(models[kind], this.step);
    return writing as PerKind<string>;
  }
}
