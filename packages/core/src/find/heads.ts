import { isClose, type TakenApart } from './operand.js';
import { Refusal } from './refusal.js';

/** Which head every batch position of a product belongs to, and which columns a head has. */
export interface Heads {
  readonly numHeads: number;
  /** Head of each batch position. */
  readonly ofBatch: Int32Array;
}

/** Heads of the queries: batch positions with the same columns, numbered in the order they first occur. */
export function headsOf(query: TakenApart): Heads {
  const known = new Map<string, number>();
  const ofBatch = new Int32Array(query.batchCount);
  for (let b = 0; b < query.batchCount; b++) {
    const key = query.columns.subarray(b * query.featureCount, (b + 1) * query.featureCount).join();
    let head = known.get(key);
    if (head === undefined) {
      head = known.size;
      known.set(key, head);
    }
    ofBatch[b] = head;
  }
  return { numHeads: known.size, ofBatch };
}

/** Columns, gains and offsets of every head: each `[numHeads * featureCount]`, heads in order. */
export interface HeadColumns {
  readonly columns: Int32Array;
  readonly gain: Float64Array;
  readonly offset: Float64Array;
  /** What multiplies them after a rotation or a cache. */
  readonly late: Float64Array;
  /** Which heads have the same columns: a number for each head, counted from 0 in the order of first heads. */
  readonly groups: readonly number[];
}

/**
 * Gathers what each head has of an operand, proving that it is the same wherever the head occurs and that two heads share
 * all columns, each scaled and shifted alike, or none.
 */
export function headColumns(operand: TakenApart, heads: Heads, role: string, nodes: readonly string[]): HeadColumns {
  const width = operand.featureCount;
  const make = () => new Float64Array(heads.numHeads * width);
  const columns = new Int32Array(heads.numHeads * width);
  const numbers = { gain: make(), offset: make(), late: make() };
  const seen = new Array<boolean>(heads.numHeads).fill(false);
  for (let b = 0; b < operand.batchCount; b++) {
    const head = heads.ofBatch[b] as number;
    for (let f = 0; f < width; f++) {
      const from = b * width + f;
      const to = head * width + f;
      if (!seen[head]) {
        columns[to] = operand.columns[from] as number;
        for (const part of ['gain', 'offset', 'late'] as const) numbers[part][to] = operand[part][from] as number;
      } else if (columns[to] !== operand.columns[from]) {
        throw new Refusal(`a head's ${role} columns change with the position in the batch`, nodes);
      }
    }
    seen[head] = true;
  }
  const groups = columnGroups(columns, heads.numHeads, role, nodes);
  groups.forEach((group, head) => {
    const first = groups.indexOf(group) * width;
    for (let f = 0; f < width; f++) {
      for (const part of ['gain', 'offset'] as const) {
        if (!isClose(numbers[part][first + f] as number, numbers[part][head * width + f] as number)) {
          throw new Refusal(`heads that share ${role} columns scale or shift them differently`, nodes);
        }
      }
    }
  });
  return { columns, ...numbers, groups };
}

function columnGroups(columns: Int32Array, numHeads: number, role: string, nodes: readonly string[]): number[] {
  const width = columns.length / numHeads;
  const known = new Map<string, number>();
  const groups = Array.from({ length: numHeads }, (_, head) => {
    const key = columns.subarray(head * width, (head + 1) * width).join();
    const group = known.get(key) ?? known.size;
    known.set(key, group);
    return group;
  });
  if (new Set(columns).size !== known.size * width) {
    throw new Refusal(`heads share some of their ${role} columns, not all or none`, nodes);
  }
  return groups;
}
