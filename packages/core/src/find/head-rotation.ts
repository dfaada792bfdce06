import type { Heads } from './heads.js';
import type { Inquiry } from './inquiry.js';
import { stridesOf } from './layout.js';
import type { TakenApart } from './operand.js';
import { Refusal } from './refusal.js';
import type { ProjectedValue } from './trace.js';

/** What an axis of the cosines or sines follows. */
export type TurnAxis = 'batch' | 'sequence' | 'feature' | 'one';

/** Cosines or sines, with what each of their axes is: enough to bring them to `[batch, 1, sequence, feature]`. */
export interface TurnFactor {
  readonly value: string;
  readonly axes: readonly TurnAxis[];
  /** For each feature that is rotated, its place along the feature axis. */
  readonly places: readonly number[];
}

/** A rotation of each head's features, the same for all heads. */
export interface HeadRotation {
  /** Features that are rotated, in order; the others stay as they are. */
  readonly features: readonly number[];
  /** For each of these, which of them is the other of its plane, as a place in `features`. */
  readonly partners: readonly number[];
  /** Sign of the other's part. */
  readonly signs: readonly number[];
  readonly cos: TurnFactor;
  readonly sin: TurnFactor;
}

/**
 * Tells what the axes of the cosines or sines follow.
 *
 * @param at - for each batch entry, token and rotated feature, the element.
 * @returns `undefined` where they follow none of these alone, or not in order.
 */
function turnFactor(
  value: string,
  dims: readonly number[],
  at: (batch: number, token: number, feature: number) => number,
  sizes: { readonly batch: number; readonly token: number; readonly feature: number },
): TurnFactor | undefined {
  const strides = stridesOf(dims);
  const places = new Array<number>(sizes.feature).fill(0);
  const axes: TurnAxis[] = [];
  for (const [axis, dim] of dims.entries()) {
    const place = (b: number, t: number, f: number) => Math.floor(at(b, t, f) / (strides[axis] as number)) % dim;
    const holds = (expected: (b: number, t: number, f: number) => number) => {
      for (let b = 0; b < sizes.batch; b++) {
        for (let t = 0; t < sizes.token; t++) {
          for (let f = 0; f < sizes.feature; f++) if (place(b, t, f) !== expected(b, t, f)) return false;
        }
      }
      return true;
    };
    if (dim === 1) axes.push('one');
    else if (holds((_, t) => t) && !axes.includes('sequence')) axes.push('sequence');
    else if (holds((b) => b) && !axes.includes('batch')) axes.push('batch');
    else if (holds((_b, _t, f) => place(0, 0, f)) && !axes.includes('feature')) {
      axes.push('feature');
      for (let f = 0; f < sizes.feature; f++) places[f] = place(0, 0, f);
    } else return undefined;
  }
  return axes.includes('sequence') && axes.includes('feature') ? { value, axes, places } : undefined;
}

/**
 * The rotation of an operand as each head has it, proved to be the same for all of them; `null` where it has none.
 *
 * @param tokens - the tokens that are new, in order: what a cache brings was rotated before.
 */
export function headRotation(
  inquiry: Inquiry,
  value: ProjectedValue,
  apart: TakenApart,
  heads: Heads,
  tokens: readonly number[],
  role: string,
): HeadRotation | null {
  const { turn } = value;
  if (!turn) return null;
  const nodes = turn.nodes.map(({ source }) => source);
  const firsts = [...heads.ofBatch.keys()].filter((b) => heads.ofBatch[b] === 0);
  const [b0, t0] = [firsts[0] as number, tokens[0] as number];
  const all = Array.from({ length: apart.featureCount }, (_, f) => f);
  const features = all.filter((f) => turn.partner[apart.elementAt(b0, t0, f)] !== -1);
  const isSame = (b: number, t: number) => {
    const places = new Map(all.map((f) => [apart.columns[b * apart.featureCount + f] as number, f]));
    return all.every((f) => {
      const at = apart.elementAt(b, t, f);
      const other = places.get(turn.partner[at] as number) ?? -1;
      return other === partnerOf[f] && turn.sign[at] === turn.sign[apart.elementAt(b0, t0, f)];
    });
  };
  const columnPlaces = new Map(all.map((f) => [apart.columns[b0 * apart.featureCount + f] as number, f]));
  const partnerOf = all.map((f) => columnPlaces.get(turn.partner[apart.elementAt(b0, t0, f)] as number) ?? -1);
  const isTwofold = features.every((f) => partnerOf[f] !== -1 && partnerOf[partnerOf[f] as number] === f);
  const everywhere = Array.from({ length: apart.batchCount }, (_, b) => b).every((b) =>
    tokens.every((t) => isSame(b, t)),
  );
  if (!isTwofold || !everywhere)
    throw new Refusal(`the ${role} is rotated differently in some head or position`, nodes);
  const counts = new Array<number>(heads.numHeads).fill(0);
  const batches: number[][] = [];
  for (const [b, head] of heads.ofBatch.entries()) {
    const entry = counts[head] as number;
    counts[head] = entry + 1;
    batches[entry] = [...(batches[entry] ?? []), b];
  }
  const factor = (id: string, at: Int32Array): TurnFactor => {
    const dims = inquiry.dims(id);
    const sizes = { batch: batches.length, token: tokens.length, feature: features.length };
    const element = (b: number, t: number, f: number) =>
      at[apart.elementAt((batches[b] as number[])[0] as number, tokens[t] as number, features[f] as number)] as number;
    const sameForHeads = batches.every((positions, b) =>
      positions.every((position) =>
        tokens.every((token, t) =>
          features.every((feature, f) => at[apart.elementAt(position, token, feature)] === element(b, t, f)),
        ),
      ),
    );
    const read = sameForHeads ? turnFactor(id, dims, element, sizes) : undefined;
    if (!read) throw new Refusal(`the ${role} is rotated by "${id}", whose layout is not followed`, nodes);
    return read;
  };
  return {
    features,
    partners: features.map((f) => features.indexOf(partnerOf[f] as number)),
    signs: features.map((f) => turn.sign[apart.elementAt(b0, t0, f)] as number),
    cos: factor(turn.cos, turn.cosAt),
    sin: factor(turn.sin, turn.sinAt),
  };
}

/** The pairs of features that are turned together. */
export function planesOf({ features, partners }: HeadRotation): readonly (readonly [number, number])[] {
  return features.flatMap((feature, i) => {
    const other = partners[i] as number;
    return i < other ? [[feature, features[other] as number] as const] : [];
  });
}
