import type { Matrix } from '../float64/matrix.js';

/**
 * Sorts heads into groups of those that fit together: merges the two groups that lose least until `count` are left,
 * then moves single heads, or exchanges two, as long as that helps.
 *
 * @param losses - what each pair of heads loses when it shares, `[numHeads, numHeads]`, symmetric.
 * @param count - number of groups, 1 to `numHeads`.
 * @returns the group of each head; groups are numbered in the order of their first heads.
 */
export function groupHeads(losses: Matrix, count: number): number[] {
  let groups = merge(losses, count);
  let best = totalLoss(losses, groups);
  for (let better = true; better; ) {
    better = false;
    for (const candidate of neighbours(groups, count)) {
      const loss = totalLoss(losses, candidate);
      // Differences that are rounding would go round in circles.
      if (loss >= best - 1e-12 * Math.abs(best)) continue;
      groups = candidate;
      best = loss;
      better = true;
      break;
    }
  }
  return renumber(groups);
}

/** Heads `h`, `h + 1` and so on together, in groups as equal as can be. */
export function neighbourGroups(numHeads: number, count: number): number[] {
  return Array.from({ length: numHeads }, (_, head) => Math.floor((head * count) / numHeads));
}

function merge(losses: Matrix, count: number): number[] {
  let groups = Array.from({ length: losses.rows }, (_, head) => head);
  for (let left = losses.rows; left > count; left--) {
    const used = [...new Set(groups)];
    const candidates = used.flatMap((a) => used.filter((b) => a < b).map((b) => groups.map((g) => (g === b ? a : g))));
    groups = candidates.reduce((best, next) => (totalLoss(losses, next) < totalLoss(losses, best) ? next : best));
  }
  return renumber(groups);
}

/** Every grouping that one move or one exchange away; no group is left empty. */
function* neighbours(groups: readonly number[], count: number): Generator<number[]> {
  for (let head = 0; head < groups.length; head++) {
    const own = groups[head] as number;
    if (groups.filter((group) => group === own).length > 1) {
      for (let group = 0; group < count; group++) if (group !== own) yield groups.with(head, group);
    }
    for (let other = head + 1; other < groups.length; other++) {
      const theirs = groups[other] as number;
      if (theirs !== own) yield groups.with(head, theirs).with(other, own);
    }
  }
}

/**
 * The losses of all pairs within groups. A group of several heads loses less than that, but dividing by the groups'
 * sizes sorts pretrained heads worse: into one large group and single heads.
 */
function totalLoss(losses: Matrix, groups: readonly number[]): number {
  let loss = 0;
  groups.forEach((group, head) => {
    for (let other = 0; other < head; other++) {
      if (groups[other] === group) loss += losses.data[head * losses.cols + other] as number;
    }
  });
  return loss;
}

function renumber(groups: readonly number[]): number[] {
  const order = [...new Set(groups)];
  return groups.map((group) => order.indexOf(group));
}
