import { FormError } from '@mhe/core';
import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel, SymbolicTensor } from '@tensorflow/tfjs-layers';
import { model as modelOf } from '@tensorflow/tfjs-layers';
import type { Layer } from '../layers/tfjs-layers.js';
import type { HostTensor, HostTensors } from '../run/host-tensor.js';
import { toBackend } from '../run/host-tensor.js';
import { runFailure } from '../run/run-failure.js';
import type { RunWatch } from '../swap/frontier.js';

/** The layer of a name, in the models of these names. */
export function layerAt(model: LayersModel, models: readonly string[], name: string): Layer {
  return models.reduce((inner, outer) => inner.getLayer(outer) as LayersModel, model).getLayer(name);
}

/** Runs a model with every calibration input; what it gives out is freed afterwards. */
export async function runLayers(
  model: LayersModel,
  feeds: readonly HostTensors[],
  { signal, onStep }: RunWatch,
  each: (outputs: readonly Tensor[], at: number) => Promise<void>,
): Promise<void> {
  for (const [at, feed] of feeds.entries()) {
    signal?.throwIfAborted();
    if (model.stateful) model.resetStates();
    const inputs = model.inputs.map(({ sourceLayer }) => toBackend(feed[sourceLayer.name] as HostTensor));
    let outputs: Tensor[] = [];
    try {
      outputs = [explained(model.name, () => model.predictOnBatch(inputs))].flat();
      await each(outputs, at);
    } finally {
      tf.dispose([...inputs, ...outputs]);
    }
    onStep?.();
  }
}

/**
 * Runs a model up to a layer that is used once, with every calibration input; tells what the layer puts out, which is
 * freed afterwards.
 */
export async function runToLayer(
  model: LayersModel,
  models: readonly string[],
  name: string,
  feeds: readonly HostTensors[],
  watch: RunWatch,
  each: (output: Tensor, at: number) => Promise<void>,
): Promise<void> {
  const layer = layerAt(model, models, name);
  const [outermost = name] = models;
  // A model in the model was used last where it stands; before that it made a node of its own.
  const outputs = model.getLayer(outermost).inboundNodes.at(-1)?.outputTensors as SymbolicTensor[];
  const part = modelOf({ inputs: model.inputs, outputs });
  const seen: Tensor[] = [];
  const { call } = layer;
  layer.call = (inputs, args) => {
    const made = call.call(layer, inputs, args);
    seen.push(tf.keep(([made].flat()[0] as Tensor).clone()));
    return made;
  };
  try {
    await runLayers(part, feeds, watch, async (_outputs, at) => {
      const output = seen.pop() as Tensor;
      try {
        await each(output, at);
      } finally {
        output.dispose();
      }
    });
  } finally {
    tf.dispose(seen);
    Reflect.deleteProperty(layer, 'call');
  }
}

function explained<R>(name: string, run: () => R): R {
  try {
    return run();
  } catch (cause) {
    if (cause instanceof FormError) throw cause;
    throw runFailure(name, 'run', cause);
  }
}
