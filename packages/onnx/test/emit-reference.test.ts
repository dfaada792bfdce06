// Blocks in ONNX Runtime against core's float64 reference: every form, mask and size, with weights drawn at random.
import {
  type AttentionBlock,
  additiveMaskRule,
  type BlockReplacement,
  booleanMaskRule,
  causalRule,
  combineRules,
  type Float64Tensor,
  type FoldedMheWeights,
  float64Port,
  float64Tensor,
  foldedMhe,
  type Matrix,
  type ScoreRules,
  type SeededRandom,
  scaleRule,
  seededRandom,
} from '@mhe/core';
import type { GraphProto } from 'onnx-buf';
import { describe, expect, it } from 'vitest';
import { graphIndex } from '../src/graph/graph-index.js';
import { findSites } from '../src/inspect.js';
import { fillHostTensor, type HostTensor, type HostTensors, hostNumbers } from '../src/run/host-tensor.js';
import { withSession } from '../src/run/session.js';
import { insideNames } from '../src/swap/block-nodes.js';
import { replaceBlock } from '../src/swap/replace-block.js';
import { fixtureModel, fixtureOf } from './fixture.js';
import { runtimes } from './run-runtimes.js';

type Form = BlockReplacement['form'];
type Rules = ScoreRules<Float64Tensor>;

/** A model that is one block, and what its inputs mean. */
interface Style {
  readonly name: string;
  readonly streams: readonly (readonly [input: string, width: number])[];
  /** The mask that the model is fed or makes itself. */
  readonly mask: 'none' | 'boolean' | 'additive' | 'causal';
  /** Forms beside `folded` and `direct`. */
  readonly forms: readonly Form[];
}

const styles: readonly Style[] = [
  { name: 'value-size', streams: [['x', 16]], mask: 'none', forms: ['factorised', 'widened'] },
  { name: 'einsum', streams: [['x', 18]], mask: 'none', forms: ['factorised'] },
  { name: 'mask-sdpa-boolean', streams: [['x', 18]], mask: 'boolean', forms: ['factorised', 'widened'] },
  { name: 'mask-guarded', streams: [['x', 18]], mask: 'boolean', forms: ['factorised', 'widened'] },
  { name: 'mask-multiplied', streams: [['x', 18]], mask: 'boolean', forms: ['widened'] },
  { name: 'mask-sdpa-causal', streams: [['x', 18]], mask: 'causal', forms: ['factorised', 'widened'] },
  {
    name: 'torch-mha-cross',
    streams: [
      ['query', 24],
      ['key', 20],
      ['value', 28],
    ],
    mask: 'none',
    forms: ['factorised', 'widened'],
  },
];

/** Weights of a block's sizes, two heads in one group and one in another, or all in one. */
function drawn(
  block: AttentionBlock,
  embedding: 'mul' | 'add',
  groups: FoldedMheWeights['groups'],
  random: SeededRandom,
): FoldedMheWeights {
  const { numHeads, headDim, valueHeadDim } = block;
  const own = block.weights();
  const matrix = (rows: number, cols: number, factor: number): Matrix => ({
    rows,
    cols,
    data: Float64Array.from({ length: rows * cols }, () => Math.fround(random.normal() * factor)),
  });
  const count = (of: readonly number[]) => Math.max(...of) + 1;
  const projection = (rows: number, cols: number) => ({
    weight: matrix(rows, cols, rows ** -0.5),
    bias: matrix(1, cols, 0.3).data,
  });
  const vectors = matrix(numHeads, headDim, 1);
  return {
    numHeads,
    headDim,
    valueHeadDim,
    scale: own.scale,
    groups,
    query: projection(own.query.weight.rows, count(groups.queryKey) * headDim),
    key: projection(own.key.weight.rows, count(groups.queryKey) * headDim),
    value: projection(own.value.weight.rows, count(groups.value) * valueHeadDim),
    output: projection(numHeads * valueHeadDim, own.output.weight.cols),
    queryGain: embedding === 'mul' ? vectors : null,
    queryBias: embedding === 'add' ? vectors : null,
  };
}

/** Which keys a mask keeps: by the letters of a pattern, one for each sequence, repeated over its length. */
const keeps = (patterns: readonly string[], batch: number, key: number) => {
  const pattern = patterns[batch % patterns.length] as string;
  return pattern[key % pattern.length] === '1';
};

function feeds(style: Style, batch: number, length: number, patterns: readonly string[]): HostTensors {
  const random = seededRandom(batch * 7 + length);
  const streams = style.streams.map(([name, width], i) => {
    // Cross attention over more keys than queries.
    const dims = [batch, i === 0 ? length : length + 2 * Math.min(1, style.streams.length - 1), width];
    return [name, fillHostTensor('float32', dims, random.normal)] as const;
  });
  if (style.mask !== 'boolean') return Object.fromEntries(streams);
  const kept = (place: number) => Number(keeps(patterns, Math.floor(place / length ** 2), place % length));
  return Object.fromEntries([...streams, ['mask', fillHostTensor('bool', [batch, 1, length, length], kept)]]);
}

/** The style's rules in float64; a multiplied mask lowers scores by ten thousand, the others hide them. */
function rulesOf(style: Style, scale: number, batch: number, length: number, patterns: readonly string[]): Rules {
  const scaled = scaleRule(float64Port, scale);
  if (style.mask === 'causal') return combineRules([scaled, causalRule(float64Port, length, length)]);
  if (style.mask !== 'boolean') return scaled;
  const kept = Float64Array.from({ length: batch * length }, (_, i) =>
    Number(keeps(patterns, Math.floor(i / length), i % length)),
  );
  const tensor = (data: Float64Array) => float64Tensor(data, [batch, 1, 1, length]);
  if (style.name !== 'mask-multiplied') return combineRules([scaled, booleanMaskRule(float64Port, tensor(kept))]);
  const lowered = additiveMaskRule(float64Port, tensor(kept.map((x) => (x - 1) * 10_000)));
  return combineRules([
    scaled,
    { beforeSoftmax: (scores) => float64Port.mul(scores, tensor(kept)), sameForAllHeads: true },
    lowered,
  ]);
}

type Size = readonly [batch: number, length: number, patterns: readonly string[]];

/** What a model is run on: some have a row without any key, which only a guard makes sense of; few the long sequence. */
function sizesOf({ name }: Style, withLong: boolean): readonly Size[] {
  const isLong = withLong && (name === 'value-size' || name === 'mask-sdpa-boolean');
  return [
    [3, 4, ['1110', '0111', '0101']],
    [1, 1, ['1']],
    [1, 4, ['0101']],
    [3, 7, ['1']],
    ...(name === 'mask-guarded' ? ([[3, 4, ['1110', '0000', '0101']]] as const) : []),
    ...(isLong ? ([[1, 1024, ['1110']]] as const) : []),
  ];
}

const one = { queryKey: [0, 0, 0], value: [0, 0, 0] };
const two = { queryKey: [0, 1, 0], value: [1, 0, 0] };

const references = new Map<string, Float64Tensor>();

/** The reference's output, computed once for all forms. */
function referenceOf(
  style: Style,
  weights: FoldedMheWeights,
  inputs: HostTensors,
  [batch, length, patterns]: Size,
): Float64Tensor {
  const key = JSON.stringify([style.name, weights.queryGain !== null, weights.groups, batch, length, patterns]);
  const known = references.get(key);
  if (known) return known;
  const streams = style.streams.map(([name]) => {
    const tensor = inputs[name] as HostTensor;
    return float64Tensor(hostNumbers(tensor), tensor.dims);
  });
  const [query, given = query, value = given] = streams as [Float64Tensor, Float64Tensor?, Float64Tensor?];
  const rules = rulesOf(style, weights.scale, batch, length, patterns);
  const made = foldedMhe(float64Port, weights, { query, key: given, value }, rules);
  references.set(key, made);
  return made;
}

/** Largest difference, relative to the largest expected number; not a number where anything is none. */
function relativeDifference(actual: HostTensor, expected: Float64Tensor): number {
  const gaps = hostNumbers(actual).map((x, i) => Math.abs(x - (expected.data[i] as number)));
  const largest = (numbers: Float64Array) => numbers.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  return largest(gaps) / largest(expected.data);
}

describe.each(styles)('a block like $name', (style) => {
  const cases = (['mul', 'add'] as const).flatMap((embedding) =>
    (['folded', 'direct', ...style.forms] as Form[])
      .filter((form) => embedding === 'add' || form !== 'factorised')
      .map((form) => [embedding, form] as const),
  );
  it.each(cases)('computes MHE-%s as the reference does, %s', async (embedding, form) => {
    const model = await fixtureModel(fixtureOf(style.name));
    const [{ block }] = findSites(model, {}).found as [ReturnType<typeof findSites>['found'][0]];
    const inside = insideNames(graphIndex(model.proto.graph as GraphProto), block);
    for (const groups of form === 'factorised' ? [one, { ...one, value: two.value }] : [one, two]) {
      const weights = drawn(block, embedding, groups, seededRandom(5));
      const swapped = replaceBlock(model, { block, inside }, { weights, embedding, form }, 'float32', 'mhe/0');
      for (const [name, runtime] of runtimes) {
        await withSession(swapped, { runtime }, async (session) => {
          for (const size of sizesOf(style, name === 'node' && groups === one)) {
            const inputs = feeds(style, ...size);
            const expected = referenceOf(style, weights, inputs, size);
            const [actual] = Object.values(await session.run(inputs)) as [HostTensor];
            expect(actual.dims).toEqual(expected.dims);
            expect(relativeDifference(actual, expected)).toBeLessThan(1e-5);
          }
        });
      }
    }
  });
});
