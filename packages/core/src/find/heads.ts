import type { TakenApart } from './operand.js';
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
}

/**
 * Gathers what each head has of an operand, proving that it is the same wherever the head occurs and that no two
 * heads share columns.
 */
export function headColumns(operand: TakenApart, heads: Heads, role: string, nodes: readonly string[]): HeadColumns {
  const width = operand.featureCount;
  const result: HeadColumns = {
    columns: new Int32Array(heads.numHeads * width),
    gain: new Float64Array(heads.numHeads * width),
    offset: new Float64Array(heads.numHeads * width),
  };
  const seen = new Array<boolean>(heads.numHeads).fill(false);
  for (let b = 0; b < operand.batchCount; b++) {
    const head = heads.ofBatch[b] as number;
    for (let f = 0; f < width; f++) {
      const from = b * width + f;
      const to = head * width + f;
      if (!seen[head]) {
        result.columns[to] = operand.columns[from] as number;
        result.gain[to] = operand.gain[from] as number;
        result.offset[to] = operand.offset[from] as number;
      } else if (result.columns[to] !== operand.columns[from]) {
        throw new Refusal(`a head's ${role} columns change with the position in the batch`, nodes);
      }
    }
    seen[head] = true;
  }
  if (new Set(result.columns).size !== result.columns.length) {
    throw new Refusal(`heads share ${role} columns (grouped or multi-query attention)`, nodes);
  }
  return result;
}
