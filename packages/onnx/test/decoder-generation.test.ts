// Decoders with caches, run step by step as they are used: each step's caches are what the step before handed on.
import * as node from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { plantedGroups } from '../../core/test/planted-groups.js';
import { acceptEmptyCaches, inspect, type OnnxModel, type OrtRuntime, swap } from '../src/index.js';
import { fillHostTensor, type HostTensor, type HostTensors } from '../src/run/host-tensor.js';
import { modelInputs } from '../src/run/model-inputs.js';
import { withSession } from '../src/run/session.js';
import { fixture, fixtureModel, largestDifference, swappableNames } from './fixture.js';
import { runtimes } from './run-runtimes.js';
import { expectSound } from './swapped-graph.js';

const runtime = node as unknown as OrtRuntime;
const cached = swappableNames.filter((name) => fixture(name).sites.some(({ cache }) => cache));
const planted = cached.filter((name) => fixture(name).sites.every((site) => site.planted !== null));

/** New positions of each step: the first has no past, the last a long one. */
const STEPS = [3, 1, 1, 2, 1];
const BATCH = 2;
const WIDTH = 18;

/** The caches of a model, by the inputs' names. */
function cachesOf(model: OnnxModel) {
  const all = inspect(model).attention.flatMap(({ cache }) => [cache?.key, cache?.value]);
  return new Map(all.flatMap((cache) => (cache ? [[cache.past, cache] as const] : [])));
}

/** Everything but the caches that every step gives. */
async function generate(
  model: OnnxModel,
  caches: ReturnType<typeof cachesOf>,
  { engine = runtime, heads }: { engine?: OrtRuntime; heads?: number } = {},
): Promise<HostTensors[]> {
  const inputs = modelInputs(model);
  const results: HostTensors[] = [];
  await withSession(model, { runtime: engine }, async (session) => {
    let past: Record<string, HostTensor> = Object.fromEntries(
      inputs.flatMap(({ name, dtype, dims }) => {
        const cache = caches.get(name);
        if (!cache || !dims || dtype !== 'float32') return [];
        const sizes = cache.axes.map((axis, at) => {
          if (axis === 'head' && heads !== undefined) return heads;
          return axis === 'batch' ? BATCH : axis === 'sequence' ? 0 : (dims[at] as number);
        });
        return [[name, fillHostTensor(dtype, sizes, () => 0)]];
      }),
    );
    let [done, seed] = [0, 1];
    for (const length of STEPS) {
      const made: Record<string, HostTensor> = {
        input_ids: fillHostTensor('int64', [BATCH, length], (at) => 2 + ((7 * seed + 5 * at) % 40)),
        attention_mask: fillHostTensor('int64', [BATCH, done + length], () => 1),
        position_ids: fillHostTensor('int64', [BATCH, length], (at) => done + (at % length)),
        x: fillHostTensor('float32', [BATCH, length, WIDTH], (at) => Math.sin(seed + at)),
      };
      const given = Object.fromEntries(
        session.inputNames.map((name) => [name, past[name] ?? (made[name] as HostTensor)]),
      );
      const outputs = await session.run(given);
      past = Object.fromEntries(
        [...caches].map(([name, { present }]) => [name, outputs[present[0] as string] as HostTensor]),
      );
      for (const [name, { axes }] of caches) {
        expect(past[name]?.dims[axes.indexOf('sequence')]).toBe(done + length);
      }
      const kept = new Set([...caches.values()].flatMap(({ present }) => present));
      results.push(Object.fromEntries(Object.entries(outputs).filter(([name]) => !kept.has(name))));
      done += length;
      seed++;
    }
  });
  return results;
}

async function expectSame(model: OnnxModel, original: OnnxModel, tolerance: number) {
  const caches = cachesOf(original);
  const [expected, actual] = [await generate(original, caches), await generate(model, caches)];
  expected.forEach((outputs, step) => {
    expect(largestDifference(actual[step] ?? {}, outputs)).toBeLessThan(tolerance);
  });
}

describe('a decoder with caches', () => {
  it('is among the fixtures', () => {
    expect(cached.length).toBeGreaterThan(planted.length);
    expect(planted.length).toBeGreaterThan(2);
  });

  it.each(cached)('says where its caches are: %s', async (name) => {
    const { attention } = inspect(await fixtureModel(name));
    attention.forEach(({ cache, groups, numHeads }, i) => {
      const expected = fixture(name).sites[i]?.numKeyValueHeads ?? numHeads;
      expect(groups).toEqual({ queryKey: expected, value: expected });
      for (const part of [cache?.key, cache?.value]) {
        expect(part?.present).toHaveLength(1);
        expect(part?.axes).toEqual(['batch', 'head', 'sequence', 'feature']);
      }
    });
  });

  it.each(cached)('generates the same when it is swapped by itself: %s', async (name) => {
    const original = await fixtureModel(name);
    const { model, report } = await swap(original, {
      runtime,
      groups: 'heads',
      calibration: { synthetic: { sequences: 2 } },
    });
    expect(report.swapped).toHaveLength(fixture(name).sites.length);
    expectSound(model, original);
    await expectSame(model, original, 2e-5);
  });

  it.each(planted)(
    'generates the same with the caches of as many groups as its heads really have: %s',
    async (name) => {
      const { sites } = fixture(name);
      const groups = plantedGroups(sites);
      const original = await fixtureModel(name);
      const calibration = { synthetic: { sequences: 4 } };
      const { model, report } = await swap(original, { runtime, groups, calibration });
      expect(report.swapped).toHaveLength(sites.length);
      for (const { fitError } of report.swapped) expect(Math.max(fitError.queryKey, fitError.value)).toBeLessThan(1e-6);
      expectSound(model, original);
      for (const [past, { present, axes }] of cachesOf(original)) {
        const isKey = report.swapped.some(({ site }) => site.cache?.key?.past === past);
        for (const info of [...(model.proto.graph?.input ?? []), ...(model.proto.graph?.output ?? [])]) {
          if (info.name !== past && !present.includes(info.name)) continue;
          const type = info.type?.value;
          const dim = type?.case === 'tensorType' ? type.value.shape?.dim[axes.indexOf('head')]?.value : undefined;
          expect(dim).toEqual({ case: 'dimValue', value: BigInt(isKey ? groups.queryKey : groups.value) });
        }
      }
      await expectSame(model, original, 1e-4);
    },
  );

  it.each(cached)('takes empty caches of any number of heads: %s', async (name) => {
    const original = await fixtureModel(name);
    const calibration = { synthetic: { sequences: 2 } };
    const isNormed = fixture(name).sites.some(({ norm }) => norm);
    const groups = isNormed ? ({ queryKey: 'heads', value: 1 } as const) : { queryKey: 1, value: 2 };
    const { model, report } = await swap(original, { runtime, groups, calibration });
    const open = acceptEmptyCaches(model, report);
    expectSound(open, original);
    const caches = cachesOf(original);
    for (const [, engine] of runtimes) {
      const expected = await generate(model, caches, { engine });
      for (const heads of [0, 3]) expect(await generate(open, caches, { engine, heads })).toEqual(expected);
      await expect(generate(model, caches, { engine, heads: 3 })).rejects.toThrow(/past/);
    }
  });

  it('is itself where none of its attention was swapped', async () => {
    const original = await fixtureModel('decoder-gpt2-optimum14');
    expect(acceptEmptyCaches(original, { swapped: [] })).toBe(original);
  });

  it('does not come back at one group where its heads share nothing', async () => {
    const original = await fixtureModel('decoder-gpt2-optimum14');
    const { model } = await swap(original, { runtime, calibration: { synthetic: { sequences: 4 } } });
    const caches = cachesOf(original);
    const [expected, actual] = [await generate(original, caches), await generate(model, caches)];
    expect(largestDifference(actual[4] ?? {}, expected[4] ?? {})).toBeGreaterThan(1e-2);
  });

  it('is not calibrated on the caches of the original', async () => {
    const name = 'decoder-gpt2-optimum14';
    const calibration = fixture(name).cases.map((entry) => entry.inputs);
    await expect(swap(await fixtureModel(name), { runtime, calibration })).rejects.toThrow(
      /calibration input 1: "past_key_values\.0\.key" holds earlier positions.* give whole sequences and caches of length 0/,
    );
  });

  it('shares values alone where its queries and keys are normalised', async () => {
    const original = await fixtureModel('decoder-qwen3-optimum14');
    const calibration = { synthetic: { sequences: 2 } };
    const { model, report } = await swap(original, { runtime, calibration });
    expect(model).toBe(original);
    expect(report.skipped.map(({ reason }) => reason)).toEqual([
      expect.stringMatching(
        /they are normalised after their projections; share values alone: groups { queryKey: 'heads'/,
      ),
    ]);
    const shared = await swap(original, { runtime, calibration, groups: { queryKey: 'heads', value: 1 } });
    expect(shared.report.swapped).toHaveLength(1);
  });

  it('has no more groups than heads of keys and values', async () => {
    const original = await fixtureModel('decoder-qwen2-optimum14');
    await expect(swap(original, { runtime, groups: { queryKey: 3, value: 2 } })).rejects.toThrow(
      /groups\.queryKey: 3 is more than the 2 heads of keys that .* has for its 4 heads; give at most 2/,
    );
  });
});
