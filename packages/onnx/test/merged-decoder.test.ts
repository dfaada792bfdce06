// Merged decoders, run step by step as they are used: the first step makes all keys and values, later ones go on from
// what the step before handed on, from the first step where it is the encoder's.

import { create } from '@bufbuild/protobuf';
import { type GraphProto, type NodeProto, NodeProtoSchema, type TensorProto } from 'onnx-buf';
import { describe, expect, it } from 'vitest';
import { plantedGroups } from '../../core/test/planted-groups.js';
import { edit } from '../src/graph/edit.js';
import { type Feed, inspect, type OnnxModel, type OrtRuntime, swap } from '../src/index.js';
import { liftBranch } from '../src/merged/lift-branch.js';
import { type MergedDecoder, mergedDecoder } from '../src/merged/merged-decoder.js';
import { fillHostTensor, type HostTensor, type HostTensors } from '../src/run/host-tensor.js';
import { modelInputs } from '../src/run/model-inputs.js';
import { withSession } from '../src/run/session.js';
import { runAll } from '../src/swap/frontier.js';
import { modelSize } from '../src/swap/model-size.js';
import { decodeFloat } from '../src/tensor/decode-float.js';
import { encodeTensor } from '../src/tensor/encode-tensor.js';
import { fixture, fixtureModel, fixtureOf, largestDifference, mergedNames } from './fixture.js';
import { runtimes } from './run-runtimes.js';
import { expectSound } from './swapped-graph.js';

const [runtime, web] = runtimes.map(([, runtime]) => runtime) as [OrtRuntime, OrtRuntime];
const planted = mergedNames.filter((name) => fixture(name).sites.every((site) => site.planted !== null));
const calibration = { synthetic: { sequences: 4, length: 12 } };

/** New positions of each step. */
const STEPS = [3, 1, 1, 1];
const [BATCH, ENCODED, WIDTH] = [2, 4, 12];

/** Everything but the caches that every step gives. */
async function generate(model: OnnxModel, engine: OrtRuntime = runtime): Promise<HostTensors[]> {
  const results: HostTensors[] = [];
  await withSession(model, { runtime: engine }, async (session) => {
    let past = Object.fromEntries(
      modelInputs(model).flatMap(({ name, dims }) => {
        if (!name.startsWith('past') || !dims) return [];
        const sizes = dims.map((dim, axis) => (axis === 0 ? BATCH : typeof dim === 'number' ? dim : 0));
        return [[name, fillHostTensor('float32', sizes, () => 0)] as const];
      }),
    );
    for (const [step, length] of STEPS.entries()) {
      const { results: outputs, handedOn } = splitCaches(
        await session.run({
          ...past,
          input_ids: fillHostTensor('int64', [BATCH, length], (at) => 2 + ((7 * step + 5 * at) % 40)),
          encoder_hidden_states: fillHostTensor('float32', [BATCH, ENCODED, WIDTH], (at) => 2 * Math.sin(at)),
          encoder_attention_mask: fillHostTensor('int64', [BATCH, ENCODED], (at) => Number(at !== ENCODED - 1)),
          use_cache_branch: fillHostTensor('bool', [1], () => Number(step > 0)),
        }),
      );
      // What is empty stands for what has not changed.
      const changed = Object.entries(handedOn).filter(([, { dims }]) => step === 0 || dims[0] !== 0);
      past = { ...past, ...Object.fromEntries(changed) };
      results.push(outputs);
    }
  });
  return results;
}

/** Outputs apart, and caches by the names of the inputs that take them. */
function splitCaches(outputs: HostTensors): { results: HostTensors; handedOn: Record<string, HostTensor> } {
  const entries = Object.entries(outputs);
  return {
    results: Object.fromEntries(entries.filter(([name]) => !name.startsWith('present'))),
    handedOn: Object.fromEntries(
      entries.flatMap(([name, value]) =>
        name.startsWith('present') ? [[name.replace('present', 'past_key_values'), value] as const] : [],
      ),
    ),
  };
}

/** The branches of a model as models of their own. */
function branches(model: OnnxModel): readonly OnnxModel[] {
  const { first, later } = mergedDecoder(model) as MergedDecoder;
  return [first, later].map(({ graph }) => liftBranch(model, graph));
}

/** What holds of a swapped graph, of the whole and of each branch. */
function expectSoundBranches(model: OnnxModel, original: OnnxModel) {
  expectSound(model, original);
  const before = branches(original);
  branches(model).forEach((branch, i) => {
    expectSound(branch, before[i] as OnnxModel);
  });
}

/** Heads of every cache that a graph declares. */
function declaredHeads({ input, output }: GraphProto): readonly (readonly [string, number])[] {
  return [...input, ...output].flatMap(({ name, type }) => {
    if (!/^past|^present/.test(name) || type?.value.case !== 'tensorType') return [];
    return [[name, Number(type.value.value.shape?.dim[1]?.value.value)] as const];
  });
}

async function expectSame(model: OnnxModel, original: OnnxModel, tolerance: number, engine?: OrtRuntime) {
  const [expected, actual] = [await generate(original), await generate(model, engine)];
  expected.forEach((outputs, step) => {
    expect(largestDifference(actual[step] ?? {}, outputs)).toBeLessThan(tolerance);
  });
}

describe('a merged decoder', () => {
  it('is among the fixtures', () => {
    expect(mergedNames.length).toBe(6);
    expect(planted.length).toBe(3);
  });

  it.each(mergedNames)('says once where its attention and its caches are: %s', async (name) => {
    const { attention, skipped, notices } = inspect(await fixtureModel(name));
    expect([skipped, notices]).toEqual([[], []]);
    attention.forEach(({ cache, kind }, i) => {
      const of = (part: string) => `${Math.floor(i / 2)}.${kind === 'self' ? 'decoder' : 'encoder'}.${part}`;
      const axes = ['batch', 'head', 'sequence', 'feature'];
      expect(cache).toEqual({
        key: { past: `past_key_values.${of('key')}`, present: [`present.${of('key')}`], axes },
        value: { past: `past_key_values.${of('value')}`, present: [`present.${of('value')}`], axes },
      });
    });
  });

  it.each(mergedNames.filter((name) => !planted.includes(name)))(
    'generates the same when it is swapped by itself: %s',
    async (name) => {
      const original = await fixtureModel(name);
      const { cases, sites } = fixture(name);
      const { model, report } = await swap(original, {
        runtime,
        groups: 'heads',
        calibration: cases.map(({ inputs }) => inputs),
      });
      expect(report.swapped).toHaveLength(sites.length);
      expect(report.skipped).toEqual([]);
      for (const { identityError } of report.swapped) expect(identityError).toBeLessThan(2e-5);
      expectSoundBranches(model, original);
      const inputs = cases.map((entry) => entry.inputs);
      (await runAll(model, inputs, { runtime })).forEach((outputs, i) => {
        expect(largestDifference(outputs, cases[i]?.outputs ?? {})).toBeLessThan(1e-4);
      });
      await expectSame(model, original, 2e-5);
    },
  );

  it.each(planted)('generates the same with as many groups as its heads really have: %s', async (name) => {
    const { sites } = fixture(name);
    const groups = plantedGroups(sites);
    const original = await fixtureModel(name);
    const { model, report } = await swap(original, { runtime, groups, calibration });
    expect(report.swapped).toHaveLength(sites.length);
    for (const { fitError } of report.swapped) expect(Math.max(fitError.queryKey, fitError.value)).toBeLessThan(1e-6);
    expect(report.outputs.map(({ name }) => name)).toEqual(['logits', 'logits, next step']);
    for (const { relative } of report.outputs) expect(relative).toBeLessThan(1e-4);
    expectSoundBranches(model, original);
    const graphs = [model, ...branches(model)].map(({ proto }) => proto.graph as GraphProto);
    for (const [cache, heads] of graphs.flatMap(declaredHeads)) {
      expect([cache, heads]).toEqual([cache, cache.endsWith('key') ? groups.queryKey : groups.value]);
    }
    await expectSame(model, original, 1e-4);
    if (name.includes('whisper')) await expectSame(model, original, 1e-4, web);
  });

  it('stores the new weights of both branches once', async () => {
    const original = await fixtureModel(fixtureOf('merged-bart'));
    const { model, report } = await swap(original, { runtime, calibration });
    const saved = report.parameters.before - report.parameters.after;
    // Query, key and value projections of two sites of 3 heads: two thirds, but for gains and biases of the heads.
    expect(saved).toBeGreaterThan((2 / 3) * 2 * 3 * WIDTH * (WIDTH + 1) - 2 * 3 * WIDTH);
    // The later branch has but a few numbers of its own, as before.
    const beside = (whole: OnnxModel) =>
      modelSize(whole).parameters - modelSize(branches(whole)[0] as OnnxModel).parameters;
    expect(beside(model)).toBeLessThanOrEqual(beside(original));
    expect(report.parameters.after).toBe(modelSize(model).parameters);
    expect(report.bytes.before - report.bytes.after).toBe(4 * saved);
  });

  it('does not come back at one group where its heads share nothing', async () => {
    const original = await fixtureModel(fixtureOf('merged-t5'));
    const { model } = await swap(original, { runtime, calibration });
    const [expected, actual] = [await generate(original), await generate(model)];
    expect(largestDifference(actual[3] ?? {}, expected[3] ?? {})).toBeGreaterThan(1e-2);
  });

  it('is swapped at some sites, and elsewhere left as it is', async () => {
    const original = await fixtureModel(fixtureOf('merged-t5-planted'));
    const { model, report } = await swap(original, { runtime, calibration, sites: [1, 2], groups: 2 });
    expect(report.swapped.map(({ site }) => site.index)).toEqual([1, 2]);
    const heads = Object.fromEntries(declaredHeads(model.proto.graph as GraphProto));
    expect(heads).toMatchObject({
      'past_key_values.0.decoder.key': 3,
      'past_key_values.0.encoder.key': 2,
      'present.1.decoder.value': 2,
      'present.1.encoder.value': 3,
    });
    await expectSame(model, original, 1e-4);
  });

  it('is left alone, in both branches, where one of them has attention of other weights', async () => {
    const original = await fixtureModel(fixtureOf('merged-bart'));
    const changed = withOtherWeights(original, /self_attn\/q_proj\/MatMul$/);
    const { model, report } = await swap(changed, { runtime, calibration, groups: 'heads' });
    expect(report.swapped.map(({ site }) => site.kind)).toEqual(['cross']);
    expect(report.skipped).toEqual([
      {
        name: '/model/decoder/layers.0/self_attn/Softmax',
        reason: 'the branch of the later steps has no attention of the same weights, and both have to be swapped alike',
        nodes: ['/model/decoder/layers.0/self_attn/Softmax'],
      },
    ]);
    await expectSame(model, changed, 2e-5);
  });

  it('is left alone, in both branches, where it is not proved in one', async () => {
    const original = await fixtureModel(fixtureOf('merged-bart'));
    const changed = withActivation(original, 'past_key_values.0.encoder.value');
    const { report } = await swap(changed, { runtime, calibration, groups: 'heads' });
    expect(report.swapped.map(({ site }) => site.kind)).toEqual(['self']);
    expect(report.skipped.map(({ reason }) => reason)).toEqual([
      expect.stringMatching(/^in the branch of the later steps: the value passes through .*\(Relu\)/),
    ]);
  });

  it.each([
    [
      { use_cache_branch: [true] },
      /calibration input 1: "use_cache_branch" asks for the branch that goes on from caches; give .* false/,
    ],
    [
      { 'past_key_values.0.decoder.key': [[[[1, 2, 3, 4]], [[1, 2, 3, 4]], [[1, 2, 3, 4]]]] },
      /calibration input 1: "past_key_values\.0\.decoder\.key" holds earlier positions/,
    ],
    [{ encoder_hidden_states: undefined }, /input "encoder_hidden_states" is missing/],
  ])('is not calibrated on later steps: %o', async (given, message) => {
    const feed = {
      input_ids: [[2, 3]],
      encoder_attention_mask: [[1, 1]],
      encoder_hidden_states: [[new Array(WIDTH).fill(1), new Array(WIDTH).fill(2)]],
      ...given,
    };
    const defined = Object.fromEntries(Object.entries(feed).filter(([, value]) => value !== undefined)) as Feed;
    const model = await fixtureModel(fixtureOf('merged-bart'));
    await expect(swap(model, { runtime, calibration: [defined] })).rejects.toThrow(message);
  });
});

/** A merged decoder whose later branch has a product with weights of its own. */
function withOtherWeights(model: OnnxModel, name: RegExp): OnnxModel {
  return withLaterBranch(model, (graph) => {
    const product = graph.node.find((node) => name.test(node.name)) as NodeProto;
    const tensor = model.proto.graph?.initializer.find(({ name }) => name === product.input[1]) as TensorProto;
    const numbers = decodeFloat(tensor, model).map((x, i) => x + Math.sin(i));
    const own = encodeTensor('own', 'float32', tensor.dims.map(Number), numbers);
    const changed = edit(product, { input: [product.input[0] as string, 'own'] });
    return edit(graph, {
      node: graph.node.map((node) => (node === product ? changed : node)),
      initializer: [...graph.initializer, own],
    });
  });
}

/** A merged decoder whose later branch reads a cache through an activation. */
function withActivation(model: OnnxModel, cache: string): OnnxModel {
  return withLaterBranch(model, (graph) => {
    const node = graph.node.map((each) =>
      edit(each, { input: each.input.map((input) => (input === cache ? 'activated' : input)) }),
    );
    const made = create(NodeProtoSchema, { name: 'activation', opType: 'Relu', input: [cache], output: ['activated'] });
    return edit(graph, { node: [made, ...node] });
  });
}

function withLaterBranch(model: OnnxModel, change: (graph: GraphProto) => GraphProto): OnnxModel {
  const { node, later } = mergedDecoder(model) as MergedDecoder;
  const attribute = node.attribute.map((entry) =>
    entry === later.attribute ? edit(entry, { g: change(later.graph) }) : entry,
  );
  const graph = edit(model.proto.graph as GraphProto, { node: [edit(node, { attribute })] });
  return { ...model, proto: edit(model.proto, { graph }) };
}
