// What the finder says of exported models, against what the exporter of each knows.
import type { Finding } from '@mhe/core';
import { describe, expect, it } from 'vitest';
import { blockNorms } from '../../core/test/block-norms.js';
import { inspect } from '../src/index.js';
import { findSites } from '../src/inspect.js';
import {
  type FixtureSite,
  fixture,
  fixtureModel,
  fixtureNames,
  fixtureOf,
  mergedNames,
  swappableNames,
} from './fixture.js';

const readNames = [...swappableNames, ...mergedNames];

const findings = new Map<string, Promise<Finding>>();

/** What is found in a fixture, looked for once. */
function findingOf(name: string): Promise<Finding> {
  const known = findings.get(name) ?? fixtureModel(name).then((model) => findSites(model, {}));
  findings.set(name, known);
  return known;
}

const isFloat16 = (name: string) => name.startsWith('float16');

describe('inspect', () => {
  it.each(readNames)('finds the attention of %s as its exporter built it', async (name) => {
    const { found, skipped } = await findingOf(name);
    const attention = found.map(({ site }) => site);
    const { sites } = fixture(name);
    // Those that have decoys beside their attention are another test's.
    if (!name.startsWith('mixed')) expect(skipped).toEqual([]);
    expect(attention).toHaveLength(sites.length);
    attention.forEach((site, i) => {
      const { numHeads, headDim, valueHeadDim, kind, queryDim, keyDim, valueDim, outputDim, ...built } = sites[
        i
      ] as FixtureSite;
      expect(site).toMatchObject({
        index: i,
        ...{ numHeads, headDim, valueHeadDim, kind },
        dims: { query: queryDim, key: keyDim, value: valueDim, output: outputDim },
        position: built.position === undefined ? 'none' : built.position === 'rotary' ? 'rotary' : 'relative bias',
        norm: built.norm ?? 'none',
        groups: { queryKey: built.numKeyValueHeads ?? numHeads, value: built.numKeyValueHeads ?? numHeads },
      });
      expect(site.scale).toBeCloseTo(built.scale, isFloat16(name) ? 3 : 5);
      // Exporters turn boolean masks into additive ones and the reverse, and add masks to biases before the scores.
      const kinds = [
        'boolean',
        'additive',
        ...(built.position && built.position !== 'rotary' ? ['per-head bias'] : []),
      ];
      if (built.mask) expect(site.mask.filter((kind) => kinds.includes(kind))).not.toEqual([]);
      else if (!built.position && !built.causal && !built.headScale) expect(site.mask).toEqual(['none']);
    });
  });

  it.each(readNames)('knows which weights of %s belong to which head', async (name) => {
    const { found } = await findingOf(name);
    // Weights stored in float16 are rounded to 11 bits.
    const digits = isFloat16(name) ? 2 : 3;
    found.forEach(({ block }, i) => {
      const { headNorms, numHeads } = fixture(name).sites[i] as FixtureSite;
      const weights = block.weights();
      for (const part of ['query', 'key', 'value', 'output'] as const) {
        // A scale on the way to the product is folded into the weights.
        // What scales keys behind a cache or a rotation is folded into the queries.
        const late = block.key.heads.late[0] as number;
        const { query, key, value } = block;
        const scales = {
          query: query.traced.scale * late,
          key: key.traced.scale / late,
          value: value.traced.scale,
          output: 1,
        };
        const scale = Math.abs(scales[part]);
        const norms = blockNorms(weights[part].weight, numHeads, part === 'output' ? 'rows' : 'cols');
        norms.forEach((norm, head) => {
          expect(norm / scale).toBeCloseTo(headNorms[part][head] as number, digits);
        });
      }
    });
  });

  it('counts the parameters of the projections', async () => {
    // [24, 24] and [24] four times.
    const { attention } = inspect(await fixtureModel(fixtureOf('bert-eager')));
    const each = 24 * 24 + 24;
    expect(attention[0]?.parameters).toEqual({ query: each, key: each, value: each, output: each, total: 4 * each });
  });

  it('names the nodes of the graph that a site consists of', async () => {
    for (const name of swappableNames) {
      const model = await fixtureModel(name);
      const nodes = new Set(model.proto.graph?.node.flatMap((node) => [node.name, ...node.output]));
      for (const { site } of (await findingOf(name)).found) {
        for (const part of Object.values(site.nodes)) {
          expect(part.length).toBeGreaterThan(0);
          expect(part.filter((node) => !nodes.has(node))).toEqual([]);
        }
      }
    }
  });

  it('says what of the scores and probabilities is read outside', async () => {
    const outside = async (style: string) => inspect(await fixtureModel(fixtureOf(style))).attention[0]?.readOutside;
    expect(await outside('output-probabilities')).toEqual(['probabilities']);
    expect(await outside('output-scores')).toContain('scores');
    expect(await outside('bert-eager')).toEqual([]);
  });

  it('leaves other attention than this alone, with the reason', async () => {
    const others = fixtureNames.filter((name) => !fixture(name).decoy && !readNames.includes(name));
    expect(others.length).toBeGreaterThan(0);
    for (const name of others) {
      const { attention, skipped } = inspect(await fixtureModel(name));
      expect(attention).toEqual([]);
      expect(skipped.map((entry) => entry.reason).join()).toMatch(/before any projection/);
    }
  });
});

describe('the number of heads', () => {
  it('may be given where it agrees with the graph', async () => {
    const model = await fixtureModel(fixtureOf('bert-eager'));
    expect(inspect(model, { numHeads: 3 }).attention).toHaveLength(1);
  });

  it('is refused where it does not, by what the graph says', async () => {
    const model = await fixtureModel(fixtureOf('bert-eager'));
    for (const numHeads of [1, 4, 24]) {
      expect(() => inspect(model, { numHeads })).toThrow(RangeError);
      expect(() => inspect(model, { numHeads })).toThrow(
        new RegExp(`numHeads: the graph gives .* 3 heads of 8, not ${numHeads}; leave the option out`),
      );
    }
  });
});
