import type { HeadColumns, Heads } from './heads.js';
import { isClose, type TakenApart } from './operand.js';
import { Refusal } from './refusal.js';
import type { ProjectedValue } from './trace.js';

/** A normalisation of queries or keys between their projection and whatever else happens to them. */
export interface HeadNorm {
  /** Whether each head's features are normalised, or those of all heads together. */
  readonly over: 'head' | 'heads';
  /** Added to the mean of the squares. */
  readonly epsilon: number;
  /** Whether the mean is taken off first. */
  readonly centred: boolean;
  /** What multiplies the features afterwards, `[numHeads * headDim]`. */
  readonly gain: Float64Array;
  /** What is added to them after that, `[numHeads * headDim]`. */
  readonly offset: Float64Array;
}

/** The normalisation of an operand as its heads have it; `null` where it has none. */
export function headNorm(
  { norm }: ProjectedValue,
  apart: TakenApart,
  { ofBatch, numHeads }: Heads,
  { columns, groups }: HeadColumns,
  role: string,
): HeadNorm | null {
  if (!norm) return null;
  const nodes = norm.nodes.map(({ source }) => source);
  const width = apart.featureCount;
  const sets = new Map<number, number>();
  for (const set of norm.setOf.values()) sets.set(set, (sets.get(set) ?? 0) + 1);
  const setOf = (at: number) => norm.setOf.get(columns[at] as number) ?? -1;
  const isWhole = (at: number, size: number) => sets.get(setOf(at)) === size;
  const isOfHead = columns.every((_, at) => setOf(at) === setOf(at - (at % width)) && isWhole(at, width));
  const count = new Set(columns).size;
  const isOfAll = columns.every((_, at) => setOf(at) === setOf(0) && isWhole(at, count));
  if (!isOfHead && !isOfAll) {
    throw new Refusal(`the ${role} is normalised over features that are neither one head's nor all heads'`, nodes);
  }
  const gain = new Float64Array(numHeads * width).fill(Number.NaN);
  const offset = new Float64Array(numHeads * width);
  const firstOf = groups.map((group) => groups.indexOf(group));
  for (let b = 0; b < apart.batchCount; b++) {
    const first = firstOf[ofBatch[b] as number] as number;
    for (let t = 0; t < apart.tokenCount; t++) {
      for (let f = 0; f < width; f++) {
        const [from, to] = [apart.elementAt(b, t, f), first * width + f];
        if (Number.isNaN(gain[to])) {
          gain[to] = norm.gain[from] as number;
          offset[to] = norm.offset[from] as number;
        } else if (
          !isClose(gain[to] as number, norm.gain[from] as number) ||
          !isClose(offset[to] as number, norm.offset[from] as number)
        ) {
          throw new Refusal(`the ${role} is scaled or shifted by position behind its normalisation`, nodes);
        }
      }
    }
  }
  // Heads that share columns share what follows.
  const ofHeads = (numbers: Float64Array) =>
    numbers.map((_, at) => numbers[(firstOf[Math.floor(at / width)] as number) * width + (at % width)] as number);
  const over = isOfHead ? 'head' : 'heads';
  return { over, epsilon: norm.epsilon, centred: norm.centred, gain: ofHeads(gain), offset: ofHeads(offset) };
}
