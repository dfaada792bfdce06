import { describe, expect, it } from 'vitest';
import { inspect } from '../src/index.js';
import { fixture, fixtureModel, fixtureNames } from './fixture.js';

/** Grouped keys and heads in subgraphs of their own are refused for now: they are attention all the same. */
const refused = (name: string) =>
  fixture(name).sites.some((site) => site.numKeyValueHeads !== undefined || site.perHeadSubgraphs === true);

const decoys = fixtureNames.filter((name) => fixture(name).decoy);
const found = fixtureNames.filter((name) => !fixture(name).decoy && !refused(name));

describe('inspect', () => {
  it.each(found)('finds the attention of %s as its exporter built it', async (name) => {
    const { attention, skipped } = inspect(await fixtureModel(name));
    const seen = attention.map(({ numHeads, headDim, valueHeadDim, kind, dims }) => ({
      ...{ numHeads, headDim, valueHeadDim, kind },
      ...{ queryDim: dims.query, keyDim: dims.key, valueDim: dims.value, outputDim: dims.output },
    }));
    const built = fixture(name).sites.map(
      ({ numHeads, headDim, valueHeadDim, kind, queryDim, keyDim, valueDim, outputDim }) => ({
        ...{ numHeads, headDim, valueHeadDim, kind, queryDim, keyDim, valueDim, outputDim },
      }),
    );
    const order = (list: readonly object[]) => list.map((entry) => JSON.stringify(entry)).sort();
    expect(order(seen)).toEqual(order(built));
    // Mixed fixtures hold decoys beside their one site.
    if (!name.startsWith('mixed')) expect(skipped).toEqual([]);
    else expect(skipped).not.toEqual([]);
  });

  it.each(decoys)('finds no attention in %s and says why', async (name) => {
    const { attention, skipped } = inspect(await fixtureModel(name));
    expect(attention).toEqual([]);
    for (const { reason, nodes } of skipped) expect([reason.length > 0, Array.isArray(nodes)]).toEqual([true, true]);
  });

  it.each(fixtureNames.filter((name) => !fixture(name).decoy && refused(name)))(
    'leaves %s alone with the reason',
    async (name) => {
      const { attention, skipped } = inspect(await fixtureModel(name));
      expect(attention).toEqual([]);
      expect(skipped.length).toBeGreaterThan(0);
    },
  );

  it.each([
    ['decoy-rotary-script13', /rotated by its position/],
    ['decoy-llama-dynamo18', /rotated by its position/],
    ['decoy-cached-dynamo18', /joined to a cache/],
    ['decoy-fused-script14', /fused into one operator \(com\.microsoft\.Attention\)/],
    ['decoy-attention-operator-dynamo23', /fused into one operator \(Attention\)/],
    ['decoy-distances-dynamo18', /another term of its scores/],
    ['decoy-memories-script13', /constants, not projected values/],
    ['decoy-experts-script13', /no product of queries and keys/],
    ['decoy-classifier-script13', /nothing is weighted/],
    ['decoy-normed-dynamo18', /LayerNormalization/],
    ['grouped-queries-script13', /grouped or multi-query/],
  ])('says of %s what is in the way', async (name, reason) => {
    const { skipped } = inspect(await fixtureModel(name));
    expect(skipped.map((entry) => entry.reason).join('\n')).toMatch(reason);
  });

  it('takes a head count that agrees with the graph and refuses one that does not', async () => {
    const model = await fixtureModel('bert-eager-dynamo18');
    expect(inspect(model, { numHeads: 3 }).attention).toHaveLength(1);
    expect(() => inspect(model, { numHeads: 4 })).toThrow(/numHeads: the graph gives .* 3 heads of 8, not 4/);
  });
});
