// Random attention blocks, inputs and masks for the property tests.
import {
  type AttentionWeights,
  additiveMaskRule,
  booleanMaskRule,
  causalRule,
  combineRules,
  type Embedding,
  type Float64Tensor,
  type FoldedMheWeights,
  float64Port,
  float64Tensor,
  type Matrix,
  type MheWeights,
  type Projection,
  type ScoreRules,
  type SeededRandom,
  scaleRule,
  seededRandom,
} from '@mhe/core';
import fc from 'fast-check';
import type { Score, Streams } from './attention-reference.js';

/** What the property tests vary. Sizes are small and mostly distinct, so that a mixed-up axis cannot go unseen. */
export interface Layout {
  readonly seed: number;
  readonly batch: number;
  readonly numHeads: number;
  readonly headDim: number;
  readonly valueHeadDim: number;
  readonly queryKey: readonly number[];
  readonly value: readonly number[];
  readonly streams: 'self' | 'cross' | 'three streams';
  readonly queries: number;
  readonly keys: number;
  readonly biases: {
    readonly query: boolean;
    readonly key: boolean;
    readonly value: boolean;
    readonly output: boolean;
  };
  readonly scale: number;
}

/** Group numbers from 0 without gaps, in any order and of any sizes: `[1, 0, 1]`. */
function groups(numHeads: number): fc.Arbitrary<number[]> {
  return fc.array(fc.nat(numHeads - 1), { minLength: numHeads, maxLength: numHeads }).map((drawn) => {
    const used = [...new Set(drawn)].sort((a, b) => a - b);
    return drawn.map((group) => used.indexOf(group));
  });
}

function groupsOf(numHeads: number): fc.Arbitrary<readonly number[]> {
  const one = new Array<number>(numHeads).fill(0);
  return fc.oneof(fc.constant(one), fc.constant(one.map((_, head) => head)), groups(numHeads));
}

export const layouts: fc.Arbitrary<Layout> = fc.integer({ min: 1, max: 5 }).chain((numHeads) =>
  fc.record({
    seed: fc.nat(),
    batch: fc.constantFrom(1, 3),
    numHeads: fc.constant(numHeads),
    headDim: fc.integer({ min: 1, max: 4 }),
    valueHeadDim: fc.integer({ min: 1, max: 5 }),
    queryKey: groupsOf(numHeads),
    value: groupsOf(numHeads),
    streams: fc.constantFrom('self', 'cross', 'three streams'),
    queries: fc.integer({ min: 1, max: 4 }),
    keys: fc.constantFrom(1, 4, 5),
    biases: fc.record({ query: fc.boolean(), key: fc.boolean(), value: fc.boolean(), output: fc.boolean() }),
    scale: fc.constantFrom(1, 0.5, 0.125),
  }),
);

const normals = (length: number, random: SeededRandom) => Float64Array.from({ length }, random.normal);

function matrix(rows: number, cols: number, random: SeededRandom): Matrix {
  return { rows, cols, data: normals(rows * cols, random) };
}

function projection(rows: number, cols: number, withBias: boolean, random: SeededRandom): Projection {
  return { weight: matrix(rows, cols, random), bias: withBias ? normals(cols, random) : null };
}

function dims({ streams }: Layout) {
  return {
    query: 6,
    key: streams === 'self' ? 6 : 7,
    value: streams === 'three streams' ? 8 : streams === 'self' ? 6 : 7,
  };
}

function shared(layout: Layout, queryKeyBlocks: number, valueBlocks: number, random: SeededRandom): AttentionWeights {
  const { numHeads, headDim, valueHeadDim, scale, biases } = layout;
  const width = dims(layout);
  return {
    numHeads,
    headDim,
    valueHeadDim,
    scale,
    query: projection(width.query, queryKeyBlocks * headDim, biases.query, random),
    key: projection(width.key, queryKeyBlocks * headDim, biases.key, random),
    value: projection(width.value, valueBlocks * valueHeadDim, biases.value, random),
    output: projection(numHeads * valueHeadDim, 9, biases.output, random),
  };
}

export function randomMha(layout: Layout): AttentionWeights {
  return shared(layout, layout.numHeads, layout.numHeads, seededRandom(layout.seed));
}

export function randomMhe(layout: Layout, embedding: Embedding): MheWeights {
  const { seed, numHeads, headDim, valueHeadDim, queryKey, value } = layout;
  const random = seededRandom(seed);
  return {
    ...shared(layout, Math.max(...queryKey) + 1, Math.max(...value) + 1, random),
    groups: { queryKey, value },
    embedding,
    queryEmbedding: matrix(numHeads, headDim, random),
    keyEmbedding: matrix(numHeads, headDim, random),
    valueEmbedding: matrix(numHeads, valueHeadDim, random),
  };
}

export function randomFolded(layout: Layout, vectors: { gain: boolean; bias: boolean }): FoldedMheWeights {
  const { embedding, queryEmbedding, keyEmbedding, valueEmbedding, ...rest } = randomMhe(layout, 'mul');
  return { ...rest, queryGain: vectors.gain ? queryEmbedding : null, queryBias: vectors.bias ? keyEmbedding : null };
}

/** Streams of the layout; the same tensor, by reference, where they are the same. */
export function randomStreams(layout: Layout): Streams {
  const random = seededRandom(layout.seed + 1);
  const width = dims(layout);
  const stream = (length: number, dim: number) =>
    float64Tensor(normals(layout.batch * length * dim, random), [layout.batch, length, dim]);
  const key = stream(layout.keys, width.key);
  if (layout.streams === 'self') return { query: key, key, value: key };
  const query = stream(layout.queries, width.query);
  return { query, key, value: layout.streams === 'cross' ? key : stream(layout.keys, width.value) };
}

/** A mask both as rules over the port and as a function of single scores. */
export interface MaskCase {
  readonly name: string;
  readonly sameForAllHeads: boolean;
  build(layout: Layout): { readonly rules: ScoreRules<Float64Tensor>; readonly score: Score };
}

function maskCase(
  name: string,
  sameForAllHeads: boolean,
  build: (layout: Layout, queries: number) => { rules: ScoreRules<Float64Tensor>; masked: Score },
): MaskCase {
  return {
    name,
    sameForAllHeads,
    build(layout) {
      const { rules, masked } = build(layout, layout.streams === 'self' ? layout.keys : layout.queries);
      return {
        rules: combineRules([scaleRule(float64Port, layout.scale), rules]),
        score: (product, ...place) => masked(product * layout.scale, ...place),
      };
    },
  };
}

/** Keeps key `j` where `pattern[j % 4]` is 1; all keys of every batch entry but the first, and of a lone key. */
function padding(pattern: string, how: 'boolean' | number): MaskCase {
  return maskCase(`${pattern} ${how}`, true, ({ batch, keys }) => {
    const kept = (b: number, key: number) => b > 0 || keys < 4 || pattern[key % 4] === '1';
    const truth = Float64Array.from({ length: batch * keys }, (_, i) => (kept(Math.floor(i / keys), i % keys) ? 1 : 0));
    const hide = how === 'boolean' ? Number.NEGATIVE_INFINITY : how;
    const mask = float64Tensor(how === 'boolean' ? truth : truth.map((x) => (x === 1 ? 0 : how)), [batch, 1, 1, keys]);
    return {
      rules: how === 'boolean' ? booleanMaskRule(float64Port, mask) : additiveMaskRule(float64Port, mask),
      masked: (score, b, _head, _query, key) => (kept(b, key) ? score : score + hide),
    };
  });
}

const unmasked = { rules: scaleRule(float64Port, 1), masked: ((score) => score) satisfies Score };

const none = maskCase('none', true, () => unmasked);

const causal = maskCase('causal', true, ({ keys }, queries) => {
  if (queries > keys) return unmasked;
  return {
    rules: causalRule(float64Port, queries, keys),
    masked: (score, _batch, _head, query, key) => (key <= query + keys - queries ? score : Number.NEGATIVE_INFINITY),
  };
});

const perHeadBias = maskCase('bias per head', false, ({ seed, numHeads, keys }, queries) => {
  const bias = normals(numHeads * queries * keys, seededRandom(seed + 2));
  return {
    rules: additiveMaskRule(float64Port, float64Tensor(bias, [numHeads, queries, keys]), 'per head'),
    masked: (score, _batch, head, query, key) => score + (bias[(head * queries + query) * keys + key] as number),
  };
});

export const masks: readonly MaskCase[] = [
  none,
  padding('1110', 'boolean'),
  padding('0111', 'boolean'),
  padding('0101', 'boolean'),
  padding('1110', -1e4),
  padding('0111', Number.NEGATIVE_INFINITY),
  padding('0101', -1e9),
  causal,
  perHeadBias,
];
