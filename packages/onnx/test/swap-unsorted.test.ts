// Models whose nodes stand in any order: found, swapped and written as if they were sorted.
import { seededRandom } from '@mhe/core';
import type { GraphProto } from 'onnx-buf';
import * as node from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { edit } from '../src/graph/edit.js';
import type { OnnxModel } from '../src/graph/model.js';
import { inspect, type OrtRuntime, swap } from '../src/index.js';
import { runAll } from '../src/swap/frontier.js';
import { fixture, fixtureModel, fixtureOf, largestDifference } from './fixture.js';
import { expectSound } from './swapped-graph.js';

const runtime = node as unknown as OrtRuntime;

function shuffled(model: OnnxModel, seed: number): OnnxModel {
  const graph = model.proto.graph as GraphProto;
  const random = seededRandom(seed);
  const node = [...graph.node];
  for (let i = node.length - 1; i > 0; i--) {
    const j = random.integer(i + 1);
    [node[i], node[j]] = [node[j] as (typeof node)[0], node[i] as (typeof node)[0]];
  }
  return { ...model, proto: edit(model.proto, { graph: edit(graph, { node }) }) };
}

describe('a model out of order', () => {
  it.each(['bert-two-layers', 'bart-whole', 'swin-windows', 'weights-constant-nodes', 'bart-bmm', 'einsum-bias'])(
    'is swapped like %s in order',
    async (style) => {
      const name = fixtureOf(style);
      const model = await fixtureModel(name);
      const inputs = fixture(name).cases.map((entry) => entry.inputs);
      const swapping = (given: OnnxModel) => swap(given, { runtime, groups: 1, calibration: inputs });
      const expected = await runAll((await swapping(model)).model, inputs, { runtime });
      for (const seed of [1, 2]) {
        const given = shuffled(model, seed);
        const named = ({ attention }: ReturnType<typeof inspect>) => attention.map((site) => site.name).sort();
        expect(named(inspect(given))).toEqual(named(inspect(model)));
        const { model: swapped } = await swapping(given);
        expectSound(swapped, given);
        (await runAll(swapped, inputs, { runtime })).forEach((outputs, i) => {
          expect(largestDifference(outputs, expected[i] ?? {})).toBeLessThan(1e-4);
        });
      }
    },
  );
});
