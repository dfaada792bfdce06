import { countCacheBytesPerToken, countParameters } from '@mhe/core';
import { row } from '@mhe/example-page/element';
import { count } from '@mhe/example-page/figures';
import type { LossHistory } from './loss-history.js';
import { kinds, type PerKind, sizes } from './sizes.js';

/** The parameters of the attention by core's accounting, beside what the models have. */
export function parameterRows(wholeModels: PerKind<number>): HTMLTableRowElement[] {
  const { modelDim, numHeads, headDim, numLayers } = sizes;
  return kinds.map((kind) => {
    const attention = { modelDim, numHeads, headDim, numLayers, ...(kind === 'mha' ? { kind } : { kind, groups: 1 }) };
    const { projections, embeddings, output, biases, total } = countParameters(attention);
    const cache = countCacheBytesPerToken({ ...attention, type: 'float32' });
    const cells = [projections, embeddings, output, biases, total, wholeModels[kind], cache];
    return row(kind.toUpperCase(), ...cells.map(count));
  });
}

/** The losses in numbers. */
export function lossRows(history: LossHistory): HTMLTableRowElement[] {
  const shown = (value: number | undefined, digits: number) => value?.toFixed(digits) ?? '–';
  return kinds.map((kind) =>
    row(
      kind.toUpperCase(),
      shown(history.first(kind), 3),
      shown(history.now(kind), 3),
      shown(history.milliseconds(kind), 0),
    ),
  );
}
