// Every exported model with its own weights put in as a group for each head: in each form that can express them, and in
// both runtimes.
import { canonicalObstacle, identityMhe, widenedObstacle } from '@mhe/core';
import type { GraphProto } from 'onnx-buf';
import { describe, expect, it } from 'vitest';
import { graphIndex } from '../src/graph/graph-index.js';
import type { OnnxModel } from '../src/graph/model.js';
import { findSites } from '../src/inspect.js';
import { insideNames } from '../src/swap/block-nodes.js';
import { runAll } from '../src/swap/frontier.js';
import { replaceBlock } from '../src/swap/replace-block.js';
import { fixture, fixtureModel, largestDifference, swappableNames } from './fixture.js';
import { runtimes } from './run-runtimes.js';
import { expectSound } from './swapped-graph.js';

const isFloat16 = (name: string) => name.startsWith('float16');

describe.each(['folded', 'widened'] as const)('a group for each head, %s', (form) => {
  it.each(swappableNames)('gives what %s gives', async (name) => {
    const original = await fixtureModel(name);
    const { found } = findSites(original, {});
    const obstacle = form === 'folded' ? canonicalObstacle : widenedObstacle;
    const able = found.filter(({ block }) => obstacle(block) === null);
    const model = able.reduce<OnnxModel>((model, { site, block }) => {
      const dtype = isFloat16(name) ? 'float16' : 'float32';
      const inside = insideNames(graphIndex(model.proto.graph as GraphProto), block);
      const replacement = { weights: identityMhe(block.weights()), embedding: 'mul', form } as const;
      return replaceBlock(model, { block, inside }, replacement, dtype, `mhe/${site.index}`);
    }, original);
    // Every site can take one of the forms, and nearly all take both.
    if (able.length === 0)
      expect(
        found.every(({ block }) => (form === 'folded' ? widenedObstacle : canonicalObstacle)(block) === null),
      ).toBe(true);
    expectSound(model, original);
    const { cases } = fixture(name);
    const inputs = cases.map((entry) => entry.inputs);
    const [[, node]] = runtimes as [(typeof runtimes)[0]];
    const expected = await runAll(original, inputs, { runtime: node });
    for (const [, runtime] of runtimes) {
      const actual = await runAll(model, inputs, { runtime });
      actual.forEach((outputs, i) => {
        expect(largestDifference(outputs, expected[i] ?? {})).toBeLessThan(isFloat16(name) ? 5e-3 : 2e-5);
        expect(largestDifference(outputs, cases[i]?.outputs ?? {})).toBeLessThan(isFloat16(name) ? 2e-2 : 1e-4);
      });
    }
  });
});
