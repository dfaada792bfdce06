// Exported models whose softmax is no attention that may be swapped: each is left as it is, for its own reason.
import * as node from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { inspect, type OrtRuntime, swap } from '../src/index.js';
import { runAll } from '../src/swap/frontier.js';
import { fixture, fixtureModel, fixtureNames, largestDifference, swappableNames } from './fixture.js';

const runtime = node as unknown as OrtRuntime;
const inputsOf = (name: string) => fixture(name).cases.map((entry) => entry.inputs);

/** What the finder says, by the reason that the fixture's author has. */
const reasons: Readonly<Record<string, RegExp>> = {
  'caches that another graph makes':
    /its caches go with those that another graph makes \(.*whose projection is in another graph/,
  'an activation between projection and scores': /the query passes through .*Relu/,
  'the Attention operator of opset 23': /fused into one operator \(Attention\)/,
  'no product after the softmax': /nothing is weighted by it/,
  'queries and keys are normalised after the projection': /the query passes through/,
  'another term of the scores reads the queries': /another term of its scores is computed from/,
  'the second factor of the scores is constant: gates of experts': /no product of queries and keys/,
  'a fused attention operator of com.microsoft': /fused into one operator \(com\.microsoft\.Attention\)/,
  'a term after the softmax reads the keys': /nothing is weighted by it/,
  'the queries come from a constant': /no product of queries and keys/,
  'the queries are a constant': /no product of queries and keys/,
  'softmax is not on a product of queries and keys': /no product of queries and keys/,
  'keys and values are constants': /weights constants, not projected values/,
  'no output projection joins the heads': /heads' outputs pass through .* before any projection/,
  'the product sums over positions, not over the head size': /the query mixes positions and features/,
  'the scores are between heads, not between positions': /the query mixes positions and features/,
  'softmax over the queries, not over the keys': /the values are not summed over the keys/,
  'values have no projection': /the value is the graph input "x", not a projection/,
  'quantised products': /(MatMulInteger|MatMulNBits|QuantizeLinear)\): quantised attention is not swapped/,
  'caches of a fixed length':
    /comes out of .*Scatter.*caches of a fixed length, which are written in place, are not swapped/,
  'caches of heads merged with the batch':
    /the size of ".*" cannot be told from the graph; it is lost at .*([cC]oncat|node_cat)/,
  'caches that the caller joins':
    /the new keys go out by themselves as "key": the cache is put together outside the graph/,
  'two layers read the same keys and values': /use the same keys or values, which would have to be swapped together/,
  'no projections': /the query is the graph input "x", not a projection/,
  'a product mixes the heads before the softmax': /no product of queries and keys/,
};

const decoys = fixtureNames.filter((name) => fixture(name).decoy);

describe('a decoy', () => {
  it.each(decoys)('is not taken for attention: %s', async (name) => {
    const model = await fixtureModel(name);
    const { attention, skipped } = inspect(model);
    expect(attention).toEqual([]);
    const wanted = reasons[fixture(name).reason ?? ''];
    if (wanted === undefined) throw new Error(`the test knows no reason like "${fixture(name).reason}"`);
    expect(skipped.map(({ reason }) => reason).join('\n')).toMatch(wanted);
    const known = new Set(model.proto.graph?.node.flatMap((node) => [node.name, ...node.output]));
    for (const { nodes } of skipped) expect(nodes.filter((node) => !known.has(node))).toEqual([]);
  });

  it.each(decoys)('is not changed by a swap: %s', async (name) => {
    const model = await fixtureModel(name);
    const { model: swapped, report } = await swap(model, { runtime, calibration: inputsOf(name) });
    expect(swapped).toBe(model);
    expect(report.swapped).toEqual([]);
  });

  it.each(swappableNames.filter((name) => name.startsWith('mixed')))(
    'stays as it is beside attention that is swapped: %s',
    async (name) => {
      const model = await fixtureModel(name);
      const inputs = inputsOf(name);
      const { model: swapped, report } = await swap(model, { runtime, groups: 'heads', calibration: inputs });
      expect(report.swapped).toHaveLength(fixture(name).sites.length);
      expect(report.skipped.length).toBeGreaterThan(0);
      const decoyNodes = new Set(report.skipped.flatMap(({ nodes }) => nodes));
      const kept = swapped.proto.graph?.node.filter((node) => decoyNodes.has(node.name)) ?? [];
      // The very nodes that were read.
      for (const node of kept) expect(model.proto.graph?.node).toContain(node);
      expect(kept).toHaveLength(decoyNodes.size);
      const [before, after] = [await runAll(model, inputs, { runtime }), await runAll(swapped, inputs, { runtime })];
      before.forEach((expected, i) => {
        expect(largestDifference(after[i] ?? {}, expected)).toBeLessThan(2e-5);
      });
    },
  );
});
