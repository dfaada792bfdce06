import {
  attendFactorisedMhe,
  attendFoldedMhe,
  attendMha,
  attendMhe,
  booleanMaskRule,
  combineRules,
  type Float64Tensor,
  factorisedMhe,
  float64Port,
  float64Tensor,
  foldedMhe,
  type MheWeights,
  mha,
  mhe,
  scaleRule,
} from '@mhe/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Layout, layouts, masks, randomFolded, randomMha, randomMhe, randomStreams } from './attention-cases.js';
import { referenceAttention, referenceContext, relativeError } from './attention-reference.js';

const forms = [
  { name: 'mha', weights: randomMha, attend: attendMha, block: mha },
  { name: 'MHE-MUL', weights: (layout: Layout) => randomMhe(layout, 'mul'), attend: attendMhe, block: mhe },
  { name: 'MHE-ADD', weights: (layout: Layout) => randomMhe(layout, 'add'), attend: attendMhe, block: mhe },
  ...[
    { gain: true, bias: false },
    { gain: false, bias: true },
    { gain: true, bias: true },
    { gain: false, bias: false },
  ].map((vectors) => ({
    name: `folded, ${vectors.gain ? '' : 'no '}gain, ${vectors.bias ? '' : 'no '}bias`,
    weights: (layout: Layout) => randomFolded(layout, vectors),
    attend: attendFoldedMhe,
    block: foldedMhe,
  })),
  ...[true, false].map((bias) => ({
    name: `factorised, ${bias ? '' : 'no '}bias`,
    weights: (layout: Layout) => randomFolded(layout, { gain: false, bias }),
    attend: attendFactorisedMhe,
    block: factorisedMhe,
  })),
] as const;

describe.each(forms)('$name', ({ name, weights, attend, block }) => {
  const expressible = masks.filter((mask) => mask.sameForAllHeads || !name.startsWith('factorised'));

  it.each(expressible)('computes the definition under mask $name', (mask) => {
    fc.assert(
      fc.property(layouts, (layout) => {
        const { rules, score } = mask.build(layout);
        const streams = randomStreams(layout);
        const drawn = weights(layout);
        const context = attend(float64Port, drawn as never, streams, rules);
        expect(relativeError(context, referenceContext(drawn, streams, score))).toBeLessThan(1e-11);
        const out = block(float64Port, drawn as never, streams, rules);
        expect(relativeError(out, referenceAttention(drawn, streams, score))).toBeLessThan(1e-11);
      }),
      { numRuns: 40, seed: 1 },
    );
  });

  it('gives a context of 0 to rows that a guarded mask leaves without keys', () => {
    fc.assert(
      fc.property(layouts, (layout) => {
        const { batch, keys, scale } = layout;
        const allowed = float64Tensor(
          Float64Array.from({ length: batch * keys }, (_, i) => (i < keys ? 0 : 1)),
          [batch, 1, 1, keys],
        );
        const rules = combineRules([scaleRule(float64Port, scale), booleanMaskRule(float64Port, allowed)]);
        const streams = randomStreams(layout);
        const drawn = weights(layout);
        const expected = referenceContext(drawn, streams, (product, b) =>
          b === 0 ? Number.NEGATIVE_INFINITY : product * scale,
        );
        expect(expected.data.subarray(0, expected.data.length / batch).every((x) => x === 0)).toBe(true);
        expect(relativeError(attend(float64Port, drawn as never, streams, rules), expected)).toBeLessThan(1e-11);
      }),
      { numRuns: 30, seed: 2 },
    );
  });
});

describe('long sequences', () => {
  const layout: Layout = {
    seed: 5,
    batch: 1,
    numHeads: 2,
    headDim: 2,
    valueHeadDim: 3,
    queryKey: [0, 0],
    value: [1, 0],
    streams: 'self',
    queries: 1024,
    keys: 1024,
    biases: { query: true, key: true, value: true, output: true },
    scale: 0.5,
  };

  it('factorised and folded MHE compute the definition over 1,024 keys', () => {
    const streams = randomStreams(layout);
    const drawn = randomFolded(layout, { gain: false, bias: true });
    const rules = scaleRule(float64Port, layout.scale);
    const expected = referenceContext(drawn, streams, (product) => product * layout.scale);
    expect(relativeError(attendFoldedMhe(float64Port, drawn, streams, rules), expected)).toBeLessThan(1e-11);
    expect(relativeError(attendFactorisedMhe(float64Port, drawn, streams, rules), expected)).toBeLessThan(1e-11);
  });
});

describe('probabilities changed after the softmax', () => {
  it('reach the values in every form that holds them', () => {
    const layout = fc.sample(layouts, { numRuns: 1, seed: 11 })[0] as Layout;
    const streams = randomStreams(layout);
    const rules = {
      ...scaleRule(float64Port, layout.scale),
      afterSoftmax: (p: Float64Tensor) => float64Port.mul(p, float64Tensor(Float64Array.of(3), [])),
    };
    const drawn = randomMha(layout);
    const plain = referenceContext(drawn, streams, (product) => product * layout.scale);
    const tripled = { ...plain, data: plain.data.map((x) => 3 * x) };
    expect(relativeError(attendMha(float64Port, drawn, streams, rules), tripled)).toBeLessThan(1e-11);
  });
});

describe('MHE with zero embeddings', () => {
  it('gives every head of one group the same context', () => {
    const layout: Layout = {
      ...(fc.sample(layouts, { numRuns: 1, seed: 3 })[0] as Layout),
      numHeads: 3,
      queryKey: [0, 0, 0],
      value: [0, 0, 0],
    };
    const zero = (cols: number) => ({ rows: 3, cols, data: new Float64Array(3 * cols) });
    const drawn: MheWeights = {
      ...randomMhe(layout, 'mul'),
      queryEmbedding: zero(layout.headDim),
      keyEmbedding: zero(layout.headDim),
      valueEmbedding: zero(layout.valueHeadDim),
    };
    const streams = randomStreams(layout);
    const context = attendMhe(float64Port, drawn, streams, scaleRule(float64Port, layout.scale));
    const expected = referenceContext(drawn, streams, (product) => product * layout.scale);
    expect(relativeError(context, expected)).toBeLessThan(1e-12);
    expect(context.dims[1]).toBe(3);
  });
});
