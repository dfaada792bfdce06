// The definition of attention, written as loops over plain numbers: what every form is compared with.
import type { AttentionWeights, Float64Tensor, FoldedMheWeights, Matrix, MheWeights, Projection } from '@mhe/core';

/** From a raw product `query . key` to what the softmax reads; -Infinity hides the key. */
export type Score = (product: number, batch: number, head: number, query: number, key: number) => number;

export interface Streams {
  readonly query: Float64Tensor;
  readonly key: Float64Tensor;
  readonly value: Float64Tensor;
}

type Weights = AttentionWeights | MheWeights | FoldedMheWeights;

const at = (matrix: Matrix, row: number, col: number) => matrix.data[row * matrix.cols + col] as number;

function projected(
  stream: Float64Tensor,
  { weight, bias }: Projection,
  batch: number,
  row: number,
  col: number,
): number {
  const [, length, dim] = stream.dims as [number, number, number];
  let sum = bias?.[col] ?? 0;
  for (let c = 0; c < dim; c++) sum += (stream.data[(batch * length + row) * dim + c] as number) * at(weight, c, col);
  return sum;
}

/** Feature `j` of a head's query, key or value, by the definition of each kind of weights. */
function feature(
  weights: Weights,
  role: 'query' | 'key' | 'value',
  streams: Streams,
  [batch, row, head, j]: readonly [number, number, number, number],
): number {
  const size = role === 'value' ? weights.valueHeadDim : weights.headDim;
  const read = (blockOfHead: number) => projected(streams[role], weights[role], batch, row, blockOfHead * size + j);
  if (!('groups' in weights)) return read(head);
  const groups = role === 'value' ? weights.groups.value : weights.groups.queryKey;
  const shared = read(groups[head] as number);
  if ('embedding' in weights) {
    const e = at(weights[`${role}Embedding`], head, j);
    return weights.embedding === 'mul' ? shared * (e + 1) : shared + e;
  }
  if (role !== 'query') return shared;
  const gain = weights.queryGain ? at(weights.queryGain, head, j) : 1;
  return shared * gain + (weights.queryBias ? at(weights.queryBias, head, j) : 0);
}

function softmax(scores: readonly number[]): number[] {
  const largest = Math.max(...scores);
  if (largest === Number.NEGATIVE_INFINITY) return scores.map(() => 0);
  const exponentials = scores.map((score) => Math.exp(score - largest));
  const sum = exponentials.reduce((total, x) => total + x, 0);
  return exponentials.map((x) => x / sum);
}

/** `[batch, numHeads, queries, valueHeadDim]`. A row without any key is 0. */
export function referenceContext(weights: Weights, streams: Streams, score: Score): Float64Tensor {
  const { numHeads, headDim, valueHeadDim } = weights;
  const [batches, queries] = streams.query.dims as [number, number];
  const [, keys] = streams.key.dims as [number, number];
  const out: number[] = [];
  for (let b = 0; b < batches; b++) {
    for (let h = 0; h < numHeads; h++) {
      const keyRows: number[][] = [];
      const valueRows: number[][] = [];
      for (let k = 0; k < keys; k++) {
        keyRows.push(Array.from({ length: headDim }, (_, j) => feature(weights, 'key', streams, [b, k, h, j])));
        valueRows.push(
          Array.from({ length: valueHeadDim }, (_, j) => feature(weights, 'value', streams, [b, k, h, j])),
        );
      }
      for (let q = 0; q < queries; q++) {
        const query = Array.from({ length: headDim }, (_, j) => feature(weights, 'query', streams, [b, q, h, j]));
        const scores = keyRows.map((key, k) =>
          score(
            key.reduce((sum, x, j) => sum + x * (query[j] as number), 0),
            b,
            h,
            q,
            k,
          ),
        );
        const probabilities = softmax(scores);
        for (let j = 0; j < valueHeadDim; j++) {
          out.push(probabilities.reduce((sum, p, k) => sum + p * (valueRows[k]?.[j] as number), 0));
        }
      }
    }
  }
  return { dims: [batches, numHeads, queries, valueHeadDim], data: Float64Array.from(out) };
}

/** The whole block, `[batch, queries, outputDim]`. */
export function referenceAttention(weights: Weights, streams: Streams, score: Score): Float64Tensor {
  const { numHeads, valueHeadDim, output } = weights;
  const context = referenceContext(weights, streams, score);
  const [batches, , queries] = context.dims as [number, number, number];
  const outputDim = output.weight.cols;
  const out: number[] = [];
  for (let b = 0; b < batches; b++) {
    for (let q = 0; q < queries; q++) {
      for (let c = 0; c < outputDim; c++) {
        let sum = output.bias?.[c] ?? 0;
        for (let h = 0; h < numHeads; h++) {
          for (let j = 0; j < valueHeadDim; j++) {
            const value = context.data[((b * numHeads + h) * queries + q) * valueHeadDim + j] as number;
            sum += value * at(output.weight, h * valueHeadDim + j, c);
          }
        }
        out.push(sum);
      }
    }
  }
  return { dims: [batches, queries, outputDim], data: Float64Array.from(out) };
}

/** Largest difference relative to the largest expected number; infinite where dimensions differ. */
export function relativeError(actual: Float64Tensor, expected: Float64Tensor): number {
  if (actual.dims.join() !== expected.dims.join()) return Number.POSITIVE_INFINITY;
  const largest = expected.data.reduce((max, x) => Math.max(max, Math.abs(x)), 1e-300);
  const difference = actual.data.reduce((max, x, i) => {
    const error = Math.abs(x - (expected.data[i] as number));
    return Number.isNaN(error) ? Number.POSITIVE_INFINITY : Math.max(max, error);
  }, 0);
  return difference / largest;
}
