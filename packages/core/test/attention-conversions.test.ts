import {
  absorbScale,
  attendFoldedMhe,
  attendMha,
  disguiseHeads,
  expandMhe,
  FormError,
  float64Port,
  foldedMhe,
  foldMhe,
  identityMhe,
  type Matrix,
  mha,
  mhe,
  scaleRule,
  unfoldMhe,
} from '@mhe/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Layout, layouts, randomFolded, randomMha, randomMhe, randomStreams } from './attention-cases.js';
import { referenceAttention, relativeError } from './attention-reference.js';

const runs = { numRuns: 60, seed: 1 };
const embeddings = ['mul', 'add'] as const;

/** Scores times the layout's scale: as rules, and as the reference takes them. */
function scaled(layout: Layout) {
  return { rules: scaleRule(float64Port, layout.scale), score: (product: number) => product * layout.scale };
}

describe.each(embeddings)('foldMhe of MHE-%s', (embedding) => {
  it('keeps what the block computes', () => {
    fc.assert(
      fc.property(layouts, (layout) => {
        const weights = randomMhe(layout, embedding);
        const { rules, score } = scaled(layout);
        const streams = randomStreams(layout);
        const folded = foldedMhe(float64Port, foldMhe(weights), streams, rules);
        expect(relativeError(folded, referenceAttention(weights, streams, score))).toBeLessThan(1e-11);
      }),
      runs,
    );
  });

  it('leaves no vector where the embeddings are neutral', () => {
    const layout = fc.sample(layouts, { numRuns: 1, seed: 4 })[0] as Layout;
    const zero = (matrix: Matrix) => ({ ...matrix, data: new Float64Array(matrix.data.length) });
    const weights = randomMhe(layout, embedding);
    const folded = foldMhe({
      ...weights,
      queryEmbedding: zero(weights.queryEmbedding),
      keyEmbedding: zero(weights.keyEmbedding),
      valueEmbedding: zero(weights.valueEmbedding),
    });
    expect(folded).toMatchObject({ queryGain: null, queryBias: null });
    expect(folded.output).toBe(weights.output);
  });
});

describe.each(embeddings)('expandMhe of MHE-%s', (embedding) => {
  it('is multi-head attention that computes the same, direct and folded', () => {
    fc.assert(
      fc.property(layouts, (layout) => {
        const weights = randomMhe(layout, embedding);
        const { rules, score } = scaled(layout);
        const streams = randomStreams(layout);
        const expected = referenceAttention(weights, streams, score);
        expect(relativeError(mha(float64Port, expandMhe(weights), streams, rules), expected)).toBeLessThan(1e-11);
        const expanded = expandMhe(foldMhe(weights));
        expect(relativeError(mha(float64Port, expanded, streams, rules), expected)).toBeLessThan(1e-11);
      }),
      runs,
    );
  });
});

describe('expandMhe of folded weights', () => {
  it('keeps gains and biases together', () => {
    fc.assert(
      fc.property(layouts, (layout) => {
        const weights = randomFolded(layout, { gain: true, bias: true });
        const { rules, score } = scaled(layout);
        const streams = randomStreams(layout);
        const expanded = mha(float64Port, expandMhe(weights), streams, rules);
        expect(relativeError(expanded, referenceAttention(weights, streams, score))).toBeLessThan(1e-11);
      }),
      runs,
    );
  });
});

describe('unfoldMhe', () => {
  it.each([
    { embedding: 'mul', vectors: { gain: true, bias: false } },
    { embedding: 'add', vectors: { gain: false, bias: true } },
    { embedding: 'mul', vectors: { gain: false, bias: false } },
    { embedding: 'add', vectors: { gain: false, bias: false } },
  ] as const)('is MHE-$embedding of the same block with $vectors, and folds back', ({ embedding, vectors }) => {
    fc.assert(
      fc.property(layouts, (layout) => {
        const weights = randomFolded(layout, vectors);
        const unfolded = unfoldMhe(weights, embedding);
        const { rules, score } = scaled(layout);
        const streams = randomStreams(layout);
        const direct = mhe(float64Port, unfolded, streams, rules);
        expect(relativeError(direct, referenceAttention(weights, streams, score))).toBeLessThan(1e-11);
        const back = foldMhe(unfolded);
        expect(back.queryBias).toEqual(weights.queryBias);
        weights.queryGain?.data.forEach((gain, i) => {
          expect(back.queryGain?.data[i]).toBeCloseTo(gain, 14);
        });
        expect(back.output).toEqual(weights.output);
      }),
      runs,
    );
  });

  it('refuses by name what an embedding cannot express', () => {
    const layout = fc.sample(layouts, { numRuns: 1, seed: 4 })[0] as Layout;
    const scaling = randomFolded(layout, { gain: true, bias: false });
    const shifting = randomFolded(layout, { gain: false, bias: true });
    expect(() => unfoldMhe(scaling, 'add')).toThrow(FormError);
    expect(() => unfoldMhe(scaling, 'add')).toThrow(/^MHE-ADD: the queries have a gain per head/);
    expect(() => unfoldMhe(shifting, 'mul')).toThrow(/^MHE-MUL: the queries have a bias per head/);
  });
});

describe('identityMhe', () => {
  it('shares the arrays, computes the same and expands to the original exactly', () => {
    fc.assert(
      fc.property(layouts, (layout) => {
        const weights = randomMha(layout);
        const identity = identityMhe(weights);
        expect(identity.query.weight.data).toBe(weights.query.weight.data);
        const { rules } = scaled(layout);
        const streams = randomStreams(layout);
        const original = attendMha(float64Port, weights, streams, rules);
        expect(attendFoldedMhe(float64Port, identity, streams, rules)).toEqual(original);
        expect(expandMhe(identity)).toEqual(weights);
      }),
      runs,
    );
  });
});

describe('disguiseHeads', () => {
  it('changes every projection and not the block', () => {
    fc.assert(
      fc.property(layouts, fc.nat(), (layout, seed) => {
        const weights = randomMha(layout);
        const disguised = disguiseHeads(weights, seed);
        const { rules, score } = scaled(layout);
        const streams = randomStreams(layout);
        const out = mha(float64Port, disguised, streams, rules);
        expect(relativeError(out, referenceAttention(weights, streams, score))).toBeLessThan(1e-10);
        for (const role of ['query', 'key', 'value', 'output'] as const) {
          expect(disguised[role].weight.data).not.toEqual(weights[role].weight.data);
        }
      }),
      runs,
    );
  });

  it('hides that heads share a projection, and repeats itself for the same seed', () => {
    const layout: Layout = {
      ...(fc.sample(layouts, { numRuns: 1, seed: 4 })[0] as Layout),
      numHeads: 2,
      headDim: 3,
      valueHeadDim: 3,
      queryKey: [0, 0],
      value: [0, 0],
    };
    const { rows, cols, data } = disguiseHeads(expandMhe(randomFolded(layout, { gain: false, bias: false })), 9).query
      .weight;
    const columns = Array.from({ length: cols }, (_, col) =>
      Array.from({ length: rows }, (_, row) => data[row * cols + col]),
    );
    expect(columns.slice(0, 3)).not.toEqual(columns.slice(3));
    const weights = randomMha(layout);
    expect(disguiseHeads(weights, 9)).toEqual(disguiseHeads(weights, 9));
    expect(disguiseHeads(weights, 9)).not.toEqual(disguiseHeads(weights, 10));
  });
});

describe('absorbScale', () => {
  it('moves the scale into the queries of both kinds of weights', () => {
    fc.assert(
      fc.property(layouts, (layout) => {
        const { score } = scaled(layout);
        const streams = randomStreams(layout);
        const unscaled = scaleRule(float64Port, 1);
        const folded = randomFolded(layout, { gain: true, bias: true });
        const out = foldedMhe(float64Port, absorbScale(folded), streams, unscaled);
        expect(relativeError(out, referenceAttention(folded, streams, score))).toBeLessThan(1e-11);
        const plain = randomMha(layout);
        const plainOut = mha(float64Port, absorbScale(plain), streams, unscaled);
        expect(relativeError(plainOut, referenceAttention(plain, streams, score))).toBeLessThan(1e-11);
        expect(absorbScale(folded).scale).toBe(1);
      }),
      runs,
    );
  });
});
