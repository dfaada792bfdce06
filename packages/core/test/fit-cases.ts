// Layers to fit, planted or random, and moments of random inputs.
import {
  type AttentionWeights,
  disguiseHeads,
  type Embedding,
  expandMhe,
  type FitMoments,
  type FoldedMheWeights,
  type Matrix,
  type Projection,
  type SeededRandom,
  seededRandom,
} from '@mhe/core';
import fc from 'fast-check';
import { Matrix as Dense } from 'ml-matrix';

/** What the property tests of the fit vary. */
export interface FitCase {
  readonly seed: number;
  readonly numHeads: number;
  readonly headDim: number;
  readonly valueHeadDim: number;
  /** How much wider than the heads the streams are. */
  readonly margin: number;
  readonly biases: boolean;
  /** Whether calibration moments are given. */
  readonly moments: boolean;
  /** Powers of ten between the largest and the smallest head. */
  readonly spread: number;
}

export const fitCases: fc.Arbitrary<FitCase> = fc.record({
  seed: fc.nat(),
  numHeads: fc.integer({ min: 2, max: 12 }),
  headDim: fc.constantFrom(4, 5, 8, 13),
  valueHeadDim: fc.constantFrom(4, 6, 9),
  margin: fc.constantFrom(1, 5, 20),
  biases: fc.boolean(),
  moments: fc.boolean(),
  spread: fc.constantFrom(0, 3),
});

export function matrix(rows: number, cols: number, random: SeededRandom): Matrix {
  return { rows, cols, data: Float64Array.from({ length: rows * cols }, random.normal) };
}

function projection(rows: number, cols: number, bias: boolean, random: SeededRandom): Projection {
  return { weight: matrix(rows, cols, random), bias: bias ? matrix(1, cols, random).data : null };
}

function widths({ headDim, valueHeadDim, margin }: FitCase) {
  return { query: headDim + margin, key: headDim + margin + 2, value: valueHeadDim + margin + 1, output: 7 + margin };
}

/** Multi-head attention whose heads have nothing in common. */
export function unrelatedHeads(layout: FitCase): AttentionWeights {
  const { seed, numHeads, headDim, valueHeadDim, biases } = layout;
  const random = seededRandom(seed);
  const width = widths(layout);
  return {
    numHeads,
    headDim,
    valueHeadDim,
    scale: headDim ** -0.5,
    query: projection(width.query, numHeads * headDim, biases, random),
    key: projection(width.key, numHeads * headDim, biases, random),
    value: projection(width.value, numHeads * valueHeadDim, biases, random),
    output: projection(numHeads * valueHeadDim, width.output, biases, random),
  };
}

/** MHE written out as multi-head attention, every head in a basis of its own: sharing is there, but nowhere to be seen. */
export function plantedHeads(
  layout: FitCase,
  embedding: Embedding,
  groups: FoldedMheWeights['groups'] = oneGroup(layout.numHeads),
): AttentionWeights {
  const { numHeads, headDim, valueHeadDim, seed, biases, spread } = layout;
  const random = seededRandom(seed);
  const width = widths(layout);
  const sizes = Float64Array.from({ length: numHeads }, () => 10 ** (-spread * random.uniform()));
  const vectors = matrix(numHeads, headDim, random);
  const scaled = vectors.data.map((x, at) => x * (sizes[Math.floor(at / headDim)] as number));
  const output = projection(numHeads * valueHeadDim, width.output, biases, random);
  const scaledOutput = output.weight.data.map(
    (x, at) => x * (sizes[Math.floor(at / width.output / valueHeadDim)] as number),
  );
  const planted: FoldedMheWeights = {
    numHeads,
    headDim,
    valueHeadDim,
    scale: headDim ** -0.5,
    groups,
    query: projection(width.query, (Math.max(...groups.queryKey) + 1) * headDim, biases, random),
    key: projection(width.key, (Math.max(...groups.queryKey) + 1) * headDim, biases, random),
    value: projection(width.value, (Math.max(...groups.value) + 1) * valueHeadDim, biases, random),
    output: { weight: { ...output.weight, data: scaledOutput }, bias: output.bias },
    queryGain: embedding === 'mul' ? { ...vectors, data: scaled } : null,
    queryBias: embedding === 'add' ? vectors : null,
  };
  return disguiseHeads(expandMhe(planted), seed);
}

export function oneGroup(numHeads: number): FoldedMheWeights['groups'] {
  const zeros = new Array<number>(numHeads).fill(0);
  return { queryKey: zeros, value: zeros };
}

/** Second moments of random inputs with a mean, unequal variances and correlations. */
export function randomMoments(
  { query, key, value }: AttentionWeights,
  seed: number,
): Required<Omit<FitMoments, 'keyInput'>> {
  const random = seededRandom(seed + 1);
  return {
    query: affineMoment(inputs(query.weight.rows, random)),
    key: covariance(inputs(key.weight.rows, random)),
    attended: affineMoment(inputs(value.weight.rows, random)),
  };
}

export function momentsOf(layout: FitCase, weights: AttentionWeights): FitMoments {
  return layout.moments ? randomMoments(weights, layout.seed) : {};
}

/** Identity moments: what missing ones stand for. */
export function evenMoments({ query, key, value }: AttentionWeights): Required<Omit<FitMoments, 'keyInput'>> {
  const identity = (size: number) => fromDense(Dense.identity(size));
  return {
    query: identity(query.weight.rows + 1),
    key: identity(key.weight.rows),
    attended: identity(value.weight.rows + 1),
  };
}

function inputs(dim: number, random: SeededRandom): Dense {
  const count = 3 * dim + 5;
  const mixed = toDense(matrix(count, dim, random)).mmul(toDense(matrix(dim, dim, random)));
  const sizes = Array.from({ length: dim }, () => 10 ** (-2 * random.uniform()));
  const mean = Array.from({ length: dim }, random.normal);
  return mixed.mulRowVector(sizes).addRowVector(mean);
}

function affineMoment(x: Dense): Matrix {
  const extended = x.clone().addColumn(Dense.ones(x.rows, 1));
  return fromDense(extended.transpose().mmul(extended));
}

function covariance(x: Dense): Matrix {
  const centred = x.clone().center('column');
  return fromDense(centred.transpose().mmul(centred).div(x.rows));
}

export function toDense({ rows, cols, data }: Matrix): Dense {
  return Dense.from1DArray(rows, cols, Array.from(data));
}

export function fromDense(dense: Dense): Matrix {
  return { rows: dense.rows, cols: dense.columns, data: Float64Array.from(dense.to1DArray()) };
}
