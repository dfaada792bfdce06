import type { QueryKeyProduct } from './query-key.js';
import { varies } from './varies.js';
import type { WeightedValues } from './weighted-values.js';

/** How the block's own tensors are laid out where heads are an axis of their own. */
export interface BlockAxes {
  /** Permutation that brings `[batch, head, query, key]` to the order of the graph's scores. */
  readonly scores: readonly number[];
  /** From the probabilities as the values' product reads them to `[batch, head, query, key]`. */
  readonly probabilities: readonly number[];
  /** From `[batch, head, query, feature]` to the order of the heads' outputs. */
  readonly context: readonly number[];
}

/** The layout of a block's tensors; `undefined` where batch and heads are not an axis each. */
export function blockAxes(scores: QueryKeyProduct, values: WeightedValues): BlockAxes | undefined {
  const { probabilities } = values;
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
  return { scores: inverse(graphScores), probabilities: [rest, head, query, key], context: inverse(graphContext) };
}

function inverse(places: readonly number[]): number[] {
  const out = new Array<number>(places.length);
  places.forEach((place, at) => {
    out[place] = at;
  });
  return out;
}
