import type { Optimizer } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';

/** Compiles a model as another one is, with an optimizer of the same kind and settings; nothing where it is not. */
export function compileAs(model: LayersModel, other: LayersModel): LayersModel {
  const { optimizer, loss, metrics } = other;
  if (optimizer == null) return model;
  const { constructor: ownClass } = optimizer as { constructor: unknown };
  const kind = ownClass as (new () => Optimizer) & {
    fromConfig(cls: new () => Optimizer, config: ReturnType<Optimizer['getConfig']>): Optimizer;
  };
  model.compile({
    optimizer: kind.fromConfig(kind, optimizer.getConfig()),
    loss: loss as string,
    ...(metrics != null && { metrics: metrics as string[] }),
  });
  return model;
}
