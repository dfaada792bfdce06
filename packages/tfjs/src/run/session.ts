import { GraphModel } from '@tensorflow/tfjs-converter';
import type { NamedTensorMap, Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import type { GraphPart } from '../graph-model/extract-part.js';
import { graphOf } from '../graph-model/graph-model.js';
import type { HostTensor, HostTensors } from './host-tensor.js';
import { toBackend, toHost } from './host-tensor.js';
import { runFailure } from './run-failure.js';

/** A part of a model loaded into the current backend. */
export interface Session {
  /**
   * Runs the part.
   *
   * @param values - at least what the part is fed, by the names of the whole model.
   * @returns its outputs.
   */
  run(values: HostTensors): Promise<HostTensors>;
  /** As {@link Session.run}, with tensors in the backend for `use`, which may keep none of them. */
  withTensors<R>(values: HostTensors, use: (outputs: ReadonlyMap<string, Tensor>) => R | Promise<R>): Promise<R>;
}

/** Operators that run in steps: their size, or which of them run, depends on the numbers (tfjs-converter, `is_dynamic`). */
const STEPWISE =
  /^(Where|NonMaxSuppressionV\d|Switch|Merge|Enter|Exit|NextIteration|(Stateless)?(If|While)|HashTable.*|Lookup.*)$/;

/** Loads a part, uses it and frees its memory, also where the use fails. */
export async function withSession<R>(part: GraphPart, use: (session: Session) => Promise<R>): Promise<R> {
  const model = new GraphModel(tf.io.fromMemorySync(part.model.artifacts()));
  try {
    explained(part, () => model.load());
    return await use(sessionOf(part, model));
  } finally {
    model.dispose();
  }
}

function sessionOf(part: GraphPart, model: GraphModel<tf.io.IOHandlerSync>): Session {
  const graph = graphOf(part.model);
  const isStepwise = [...graph.node, ...(graph.library?.function ?? []).flatMap(({ nodeDef = [] }) => nodeDef)].some(
    ({ op }) => STEPWISE.test(op),
  );
  const session: Session = {
    run: (values) =>
      session.withTensors(values, async (outputs) => {
        const results: Record<string, HostTensor> = {};
        for (const [name, tensor] of outputs) results[name] = await toHost(tensor);
        return results;
      }),
    async withTensors(values, use) {
      const feeds: NamedTensorMap = {};
      const outputs = new Map<string, Tensor>();
      try {
        for (const [value, placeholder] of part.feeds) feeds[placeholder] = toBackend(values[value] as HostTensor);
        // Asked for nothing, TensorFlow.js returns no list.
        const results = await explainedAsync(part, async () => {
          if (part.outputs.length === 0) return [];
          return isStepwise
            ? await model.executeAsync(feeds, [...part.outputs])
            : model.execute(feeds, [...part.outputs]);
        });
        [results].flat().forEach((tensor, i) => {
          outputs.set(part.outputs[i] as string, tensor);
        });
        return await use(outputs);
      } finally {
        // An output may be a weight, which is freed with the model.
        const weights = new Set(Object.values(model.weights).flatMap((list) => list.map(({ id }) => id)));
        for (const tensor of [...Object.values(feeds), ...outputs.values()]) {
          if (!weights.has(tensor.id) && !tensor.isDisposed) tensor.dispose();
        }
      }
    },
  };
  return session;
}

function explained<R>({ model }: GraphPart, task: () => R): R {
  try {
    return task();
  } catch (cause) {
    throw runFailure(model.name, 'load', cause);
  }
}

async function explainedAsync<R>({ model }: GraphPart, task: () => Promise<R>): Promise<R> {
  try {
    return await task();
  } catch (cause) {
    throw runFailure(model.name, 'run', cause);
  }
}
