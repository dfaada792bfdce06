import type { AttentionWeights, FoldedMheWeights, Projection } from '@mhe/core';
import { type Embedding, type SeededRandom, seededRandom } from '@mhe/core';
import { randomProjection } from '../graph/random-projection.js';

/** The layer that is timed: the attention of BERT base. */
export const layer = { modelDim: 768, numHeads: 12, headDim: 64, scale: 1 / 8 } as const;

const { modelDim, numHeads, headDim, scale } = layer;

/** A layer's multi-head attention with random weights. */
export function randomMha(seed: number): AttentionWeights {
  const random = seededRandom(seed);
  const projection = () => randomProjection(random, modelDim, modelDim);
  return {
    numHeads,
    headDim,
    valueHeadDim: headDim,
    scale,
    query: projection(),
    key: projection(),
    value: projection(),
    output: projection(),
  };
}

/** Multi-query attention: one key and value head for all query heads. */
export function randomMqa(seed: number): AttentionWeights {
  const random = seededRandom(seed);
  return {
    ...randomMha(seed),
    key: randomProjection(random, modelDim, headDim),
    value: randomProjection(random, modelDim, headDim),
  };
}

/** Multi-query attention with the key and value head written out for every query head. */
export function repeatSharedHead(weights: AttentionWeights): AttentionWeights {
  return { ...weights, key: repeatColumns(weights.key), value: repeatColumns(weights.value) };
}

function repeatColumns({ weight, bias }: Projection): Projection {
  const cols = weight.cols * numHeads;
  const data = Float64Array.from({ length: weight.rows * cols }, (_, i) => {
    const row = Math.floor(i / cols);
    return weight.data[row * weight.cols + (i % weight.cols)] as number;
  });
  return {
    weight: { rows: weight.rows, cols, data },
    bias: bias && Float64Array.from({ length: cols }, (_, col) => bias[col % weight.cols] as number),
  };
}

/** How many shared projections a layer has. */
export interface GroupCounts {
  readonly queryKey: number;
  readonly value: number;
}

/** Folded MHE with random weights, neighbouring heads in a group. */
export function randomMhe(seed: number, embedding: Embedding, groups: GroupCounts): FoldedMheWeights {
  const random = seededRandom(seed);
  const vectors = { rows: numHeads, cols: headDim, data: drawVectors(random, embedding) };
  return {
    numHeads,
    headDim,
    valueHeadDim: headDim,
    scale,
    groups: { queryKey: groupNumbers(groups.queryKey), value: groupNumbers(groups.value) },
    query: randomProjection(random, modelDim, groups.queryKey * headDim),
    key: randomProjection(random, modelDim, groups.queryKey * headDim),
    value: randomProjection(random, modelDim, groups.value * headDim),
    output: randomProjection(random, modelDim, modelDim),
    queryGain: embedding === 'mul' ? vectors : null,
    queryBias: embedding === 'add' ? vectors : null,
  };
}

function drawVectors(random: SeededRandom, embedding: Embedding): Float64Array {
  const middle = embedding === 'mul' ? 1 : 0;
  return Float64Array.from({ length: numHeads * headDim }, () => middle + 0.5 * random.normal());
}

function groupNumbers(count: number): number[] {
  return Array.from({ length: numHeads }, (_, head) => Math.floor((head * count) / numHeads));
}
