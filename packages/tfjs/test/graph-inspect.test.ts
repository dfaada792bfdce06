// What the finder says of converted models, against what the exporter of each knows.
import type { Finding } from '@mhe/core';
import { describe, expect, it } from 'vitest';
import { blockNorms } from '../../core/test/block-norms.js';
import { graphOf } from '../src/graph-model/graph-model.js';
import { inspect } from '../src/index.js';
import { findGraphSites } from '../src/view/find-graph-sites.js';
import { attentionNames, type FixtureSite, fixture, fixtureModel } from './graph-fixture.js';

const findings = new Map<string, Promise<Finding>>();

/** What is found in a fixture, looked for once. */
function findingOf(name: string): Promise<Finding> {
  const known = findings.get(name) ?? fixtureModel(name).then((model) => findGraphSites(model, {}));
  findings.set(name, known);
  return known;
}

describe('inspect', () => {
  it.each(attentionNames)('finds the attention of %s as its exporter built it', async (name) => {
    const { found, skipped } = await findingOf(name);
    const { sites } = fixture(name);
    // The decoys beside attention are another test's.
    if (!name.startsWith('mixed')) expect(skipped).toEqual([]);
    expect(found).toHaveLength(sites.length);
    found.forEach(({ site }, i) => {
      const { numHeads, headDim, valueHeadDim, kind, queryDim, keyDim, valueDim, outputDim, ...built } = sites[
        i
      ] as FixtureSite;
      expect(site).toMatchObject({
        index: i,
        ...{ numHeads, headDim, valueHeadDim, kind },
        dims: { query: queryDim, key: keyDim, value: valueDim, output: outputDim },
        position: built.position ?? 'none',
      });
      expect(site.scale).toBeCloseTo(built.scale, 6);
      if (built.mask) expect(site.mask.some((kind) => kind === 'boolean' || kind === 'additive')).toBe(true);
      else if (!built.position) expect(site.mask).toEqual(['none']);
    });
  });

  it.each(attentionNames)('knows which weights of %s belong to which head', async (name) => {
    const { found } = await findingOf(name);
    // Weights of 8 bits are rounded to a few hundredths, those of float16 to 11 bits.
    const digits = { uint8: 1, uint16: 3, float16: 2 }[fixture(name).quantised ?? 'uint16'];
    found.forEach(({ block }, i) => {
      const { headNorms, numHeads } = fixture(name).sites[i] as FixtureSite;
      const weights = block.weights();
      for (const part of ['query', 'key', 'value', 'output'] as const) {
        // A scale on the way to the product is folded into the weights.
        const scale = part === 'output' ? 1 : Math.abs(block[part].traced.scale);
        const norms = blockNorms(weights[part].weight, numHeads, part === 'output' ? 'rows' : 'cols');
        norms.forEach((norm, head) => {
          expect(norm / scale).toBeCloseTo(headNorms[part][head] as number, digits);
        });
      }
    });
  });

  it('names the streams and the nodes of the graph that a site consists of', async () => {
    for (const name of attentionNames) {
      const nodes = new Set(graphOf(await fixtureModel(name)).node.map((node) => node.name));
      for (const { site } of (await findingOf(name)).found) {
        for (const part of Object.values(site.nodes)) {
          expect(part.length).toBeGreaterThan(0);
          expect(part.filter((node) => !nodes.has(node))).toEqual([]);
        }
      }
    }
    const { attention } = await inspect(await fixtureModel('cross-planted'));
    expect(attention[0]?.streams).toEqual({ query: 'x', key: 'memory', value: 'memory' });
  });

  it('counts the parameters of the projections', async () => {
    // [12, 12] and [12] four times.
    const { attention } = await inspect(await fixtureModel('keras2'));
    expect(attention[0]?.parameters).toEqual({ query: 156, key: 156, value: 156, output: 156, total: 624 });
  });

  it('says what of the probabilities is read outside', async () => {
    const outside = async (name: string) => (await inspect(await fixtureModel(name))).attention[0]?.readOutside;
    expect(await outside('causal-planted')).toEqual(['probabilities']);
    expect(await outside('dense-planted')).toEqual([]);
  });

  it('takes the number of heads where it agrees with the graph, and refuses another', async () => {
    const model = await fixtureModel('unpacked');
    expect((await inspect(model, { numHeads: 3 })).attention).toHaveLength(1);
    for (const numHeads of [1, 4, 12])
      await expect(inspect(model, { numHeads })).rejects.toThrow(
        new RegExp(`numHeads: the graph gives .* 3 heads of 4, not ${numHeads}; leave the option out`),
      );
  });
});
