import type { QueryKeyProduct } from './query-key.js';
import { varies } from './varies.js';
import type { WeightedValues } from './weighted-values.js';

/**
 * How the block's own tensors are laid out where batch and heads are axes of their own, or are merged into one axis before
 * the others (`[batch * head, query, key]`), which counts as the two axes that it is made of.
 */
export interface BlockAxes {
  /** Permutation that brings `[batch, head, query, key]` to the order of the graph's scores. */
  readonly scores: readonly number[];
  /** From the probabilities as the values' product reads them to `[batch, head, query, key]`. */
  readonly probabilities: readonly number[];
  /** From `[batch, head, query, feature]` to the order of the heads' outputs. */
  readonly context: readonly number[];
  /** Number of the second of two axes that are merged into the first of the graph's own; `null` where none are. */
  readonly merged: 'head' | 'batch' | null;
}

/** The layout of a block's tensors; `undefined` where batch and heads are neither an axis each nor merged into the first. */
export function blockAxes(scores: QueryKeyProduct, values: WeightedValues): BlockAxes | undefined {
  const { probabilities } = values;
  if (probabilities.labels.length === 3) return mergedAxes(scores, values);
  if (scores.batch.length !== 2 || probabilities.labels.length !== 4) return undefined;
  const places = scores.batch.map(({ label }) => scores.labels.indexOf(label));
  const heads = places.filter((axis) => varies(scores.codes.head, scores.dims, axis));
  const batch = places.find((axis) => axis !== heads[0]);
  if (heads.length !== 1 || batch === undefined) return undefined;
  const place = (label: string) => scores.labels.indexOf(label);
  const graphScores = [batch, heads[0] as number, place(scores.queryLabel), place(scores.keyLabel)];

  const head = probabilities.labels.findIndex((_, axis) => varies(probabilities.head, probabilities.dims, axis));
  const query = probabilities.labels.indexOf(values.queryLabel);
  const key = probabilities.labels.indexOf(values.keyLabel);
  const rest = [0, 1, 2, 3].find((axis) => axis !== head && axis !== query && axis !== key);
  if (head < 0 || rest === undefined) return undefined;
  const labels = [probabilities.labels[rest], probabilities.labels[head], values.queryLabel, values.featureLabel];
  const graphContext = labels.map((label) => values.labels.indexOf(label as string));
  if (graphContext.includes(-1)) return undefined;
  return {
    scores: inverse(graphScores),
    probabilities: [rest, head, query, key],
    context: inverse(graphContext),
    merged: null,
  };
}

function mergedAxes(scores: QueryKeyProduct, values: WeightedValues): BlockAxes | undefined {
  const { probabilities, heads } = values;
  const { numHeads, ofBatch } = scores.heads;
  const count = ofBatch.length / numHeads;
  const isBatchFirst = ofBatch.every((head, i) => head === i % numHeads);
  const isHeadFirst = ofBatch.every((head, i) => head === Math.floor(i / count));
  const isInFront = (labels: readonly string[], rest: readonly string[]) => labels.slice(1).join() === rest.join();
  const isMerged =
    scores.batch.length === 1 &&
    heads.ofBatch.join() === ofBatch.join() &&
    isInFront(scores.labels, [scores.queryLabel, scores.keyLabel]) &&
    isInFront(probabilities.labels, [values.queryLabel, values.keyLabel]) &&
    isInFront(values.labels, [values.queryLabel, values.featureLabel]);
  if (!isMerged || (!isBatchFirst && !isHeadFirst)) return undefined;
  const order = isBatchFirst ? [0, 1, 2, 3] : [1, 0, 2, 3];
  return { scores: order, probabilities: order, context: order, merged: isBatchFirst ? 'head' : 'batch' };
}

function inverse(places: readonly number[]): number[] {
  const out = new Array<number>(places.length);
  places.forEach((place, at) => {
    out[place] = at;
  });
  return out;
}
