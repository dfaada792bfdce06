// Converted models whose softmax is no attention that may be swapped: each is left as it is, for its own reason.
import { beforeAll, describe, expect, it } from 'vitest';
import { graphOf } from '../src/graph-model/graph-model.js';
import { type Feed, inspect, swap } from '../src/index.js';
import { useBackend } from './backends.js';
import { fixture, fixtureModel, fixtureNames, inputsOf } from './graph-fixture.js';

/** What the finder says, by the reason that the fixture's author has. */
const reasons: Readonly<Record<string, RegExp>> = {
  'an activation between projection and scores': /the query passes through .*Relu/,
  'an activation is fused into the output projection': /output projection is fused with what follows it \(Relu\)/,
  'heads are split and joined along the batch': /the query is put together by/,
  'no product after the softmax': /nothing is weighted by it/,
  'rotary positions': /rotated by its position|no form can express it/,
  'the attention is inside a function': /a softmax is inside a function that this (Stateless)?While runs/,
  'the attention is inside a loop': /cannot be told from the graph; it is lost at .*enter/,
  'the queries are a constant': /no product of queries and keys/,
  'the second factor of the scores is constant: gates of experts': /no product of queries and keys/,
};

const decoys = fixtureNames.filter((name) => fixture(name).decoy);

beforeAll(() => useBackend('cpu'));

describe('a decoy', () => {
  it.each(decoys)('is left alone by a swap, with the reason: %s', async (name) => {
    const model = await fixtureModel(name);
    const calibration = inputsOf(name) as readonly Feed[];
    const { model: swapped, report } = await swap(model, { calibration });
    expect(swapped === model).toBe(true);
    expect(report.swapped).toEqual([]);
    expect(report.parameters.after).toBe(report.parameters.before);
    const wanted = reasons[fixture(name).reason ?? ''];
    if (wanted === undefined) throw new Error(`the test knows no reason like "${fixture(name).reason}"`);
    expect(report.skipped.map(({ reason }) => reason).join('\n')).toMatch(wanted);
    const known = new Set(graphOf(model).node.map((node) => node.name));
    for (const { nodes } of report.skipped) expect(nodes.filter((node) => !known.has(node))).toEqual([]);
  });

  it('stays as it is beside attention that is swapped', async () => {
    const model = await fixtureModel('mixed-planted');
    const { attention, skipped } = await inspect(model);
    expect(attention).toHaveLength(1);
    expect(skipped).toHaveLength(2);
    const calibration = inputsOf('mixed-planted') as readonly Feed[];
    const { model: swapped, report } = await swap(model, { groups: 'heads', calibration });
    expect(report.skipped).toEqual(skipped);
    const kept = new Map(graphOf(swapped).node.map((node) => [node.name, node]));
    // The very nodes that were read.
    for (const node of graphOf(model).node)
      if (skipped.some(({ nodes }) => nodes.includes(node.name))) expect(kept.get(node.name)).toBe(node);
  });
});
