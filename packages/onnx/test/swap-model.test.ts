import * as node from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { edit } from '../src/graph/edit.js';
import type { OnnxModel } from '../src/graph/model.js';
import { sortNodes } from '../src/graph/sort-nodes.js';
import { encodeModel, type OrtRuntime, swap } from '../src/index.js';
import { runAll } from '../src/swap/frontier.js';
import { fixture, fixtureModel, largestDifference } from './fixture.js';

const runtime = node as unknown as OrtRuntime;
const inputsOf = (name: string) => fixture(name).cases.map((entry) => entry.inputs);
const bytesOf = (model: OnnxModel) => Buffer.from(encodeModel(model).bytes).toString('base64');
const swapping = (name: string, model: OnnxModel, options: Parameters<typeof swap>[1] = {}) =>
  swap(model, { runtime, calibration: inputsOf(name), ...options });

/** ONNX Runtime, but runs fail where told by the size of an input and the bytes of the model. */
function failingRuntime(fails: (dims: readonly number[], model: string) => boolean): OrtRuntime {
  const { InferenceSession } = runtime;
  return {
    ...runtime,
    InferenceSession: {
      async create(model, options) {
        const session = await InferenceSession.create(model, options);
        const text = Buffer.from(model).toString('latin1');
        return {
          inputNames: session.inputNames,
          outputNames: session.outputNames,
          release: () => session.release(),
          run(feeds, ...rest) {
            if (Object.values(feeds).some(({ dims }) => fails(dims, text))) throw new Error('too long for this test');
            return session.run(feeds, ...rest);
          },
        };
      },
    },
  };
}

function graphOf(model: OnnxModel) {
  const { graph } = model.proto;
  if (!graph) throw new Error('no graph');
  return graph;
}

describe('a swapped model', () => {
  it('is the same, byte for byte, a second time, and the given model is not changed', async () => {
    const name = 'bert-two-layers-optimum17';
    const model = await fixtureModel(name);
    const before = bytesOf(model);
    const first = await swapping(name, model, { groups: 1 });
    const second = await swapping(name, model, { groups: 1 });
    expect(bytesOf(first.model)).toBe(bytesOf(second.model));
    expect(bytesOf(model)).toBe(before);
    expect(bytesOf(first.model)).not.toBe(before);
  });

  it.each([
    'bert-two-layers-optimum17',
    'bart-bmm-script11',
    'weights-inputs-too-script9',
    'weights-constant-nodes-script13',
  ])('is sorted, complete and without leftovers (%s)', async (name) => {
    const original = await fixtureModel(name);
    const { model } = await swapping(name, original, { groups: 1 });
    const graph = graphOf(model);
    expect(sortNodes(graph)).toBe(graph);
    const made = [...graph.input, ...graph.initializer].map((entry) => entry.name);
    const known = new Set([...made, ...graph.node.flatMap((entry) => entry.output)]);
    const read = new Set([...graph.node.flatMap((entry) => entry.input), ...graph.output.map((entry) => entry.name)]);
    expect([...read].filter((value) => value !== '' && !known.has(value))).toEqual([]);
    expect(graph.initializer.map((entry) => entry.name).filter((value) => !read.has(value))).toEqual([]);
    expect(graph.valueInfo.map((entry) => entry.name).filter((value) => !known.has(value))).toEqual([]);
    const names = graph.node.map((entry) => entry.name).filter((value) => value !== '');
    expect(new Set(names).size).toBe(names.length);
    expect(model.proto.irVersion).toBe(original.proto.irVersion);
    expect(model.proto.opsetImport).toEqual(original.proto.opsetImport);
    expect(graph.input.map((entry) => entry.name)).toEqual(
      graphOf(original)
        .input.map((entry) => entry.name)
        .filter((value) => made.includes(value)),
    );
    expect(new Set(graph.node.map((entry) => entry.domain))).toEqual(
      new Set(
        graphOf(original)
          .node.map((entry) => entry.domain)
          .filter((domain) => domain === '' || domain === 'ai.onnx'),
      ),
    );
  });

  it('keeps every weight outside the swapped block as it was, shared ones too', async () => {
    const name = 'weights-tied-script13';
    const original = await fixtureModel(name);
    const { model, report } = await swapping(name, original, { groups: 1, sites: [0] });
    expect(report.swapped.map(({ site }) => site.index)).toEqual([0]);
    expect(report.skipped.map(({ reason }) => reason)).toEqual(['it was not chosen (sites)']);
    const kept = new Map(graphOf(model).initializer.map((tensor) => [tensor.name, tensor]));
    const shared = graphOf(original).initializer.filter((tensor) => kept.has(tensor.name));
    expect(shared.length).toBeGreaterThan(0);
    // Untouched messages are the very objects that were read: no byte of them can differ.
    for (const tensor of shared) expect(kept.get(tensor.name)).toBe(tensor);
    // Layer 1 alone, from the same block input, still computes what it did.
    const again = await swapping(name, original, { groups: 'heads', sites: [1] });
    const inputs = inputsOf(name);
    const [before, after] = [
      await runAll(original, inputs, { runtime }),
      await runAll(again.model, inputs, { runtime }),
    ];
    before.forEach((expected, i) => {
      expect(largestDifference(after[i] ?? {}, expected)).toBeLessThan(2e-5);
    });
  });

  it('comes out the same from a file whose nodes are not in order', async () => {
    const name = 'bert-eager-dynamo18';
    const model = await fixtureModel(name);
    const graph = graphOf(model);
    const shuffled = {
      ...model,
      proto: edit(model.proto, { graph: edit(graph, { node: [...graph.node].reverse() }) }),
    };
    const { model: swapped } = await swapping(name, shuffled, { groups: 'heads' });
    const inputs = inputsOf(name);
    const [before, after] = [await runAll(model, inputs, { runtime }), await runAll(swapped, inputs, { runtime })];
    before.forEach((expected, i) => {
      expect(largestDifference(after[i] ?? {}, expected)).toBeLessThan(2e-5);
    });
  });
});

describe('swap', () => {
  const name = 'bert-two-layers-optimum17';

  it('chooses sites by number, pattern and predicate', async () => {
    const model = await fixtureModel(name);
    for (const sites of [[1], /layer\.1/, ({ index }: { index: number }) => index === 1] as const) {
      const { report } = await swapping(name, model, { groups: 'heads', sites });
      expect(report.swapped.map(({ site }) => site.index)).toEqual([1]);
    }
    await expect(swapping(name, model, { sites: [7] })).rejects.toThrow(/no site 7; the model has 2/);
  });

  it('refuses groups that the heads cannot form', async () => {
    const model = await fixtureModel(name);
    await expect(swapping(name, model, { groups: 4 })).rejects.toThrow(/groups.queryKey: 4 is more than the 3 heads/);
    await expect(swapping(name, model, { groups: { queryKey: 1, value: 0 } })).rejects.toThrow(/groups.value: 0/);
    await expect(swapping(name, model, { groups: 1.5 })).rejects.toThrow(/1.5 is no number of groups/);
  });

  it('reports where it stands, up to the end, and stops when told', async () => {
    const model = await fixtureModel(name);
    const seen: number[] = [];
    let total = 0;
    await swapping(name, model, {
      onProgress: (progress) => {
        seen.push(progress.done);
        total = progress.total;
      },
    });
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    expect(total).toBeGreaterThan(0);
    expect(seen.at(-1)).toBe(total);
    const stop = new AbortController();
    const stopped = swapping(name, model, { signal: stop.signal, onProgress: ({ done }) => done > 2 && stop.abort() });
    await expect(stopped).rejects.toThrow(/abort/i);
  });

  it('gives the model back where nothing is attention', async () => {
    const decoy = await fixtureModel('decoy-classifier-script13');
    const { model, report } = await swapping('decoy-classifier-script13', decoy);
    expect(model).toBe(decoy);
    expect(report.swapped).toEqual([]);
    expect(report.skipped).toHaveLength(1);
    const { parameters, bytes } = report;
    expect([parameters.before, bytes.before]).toEqual([parameters.after, bytes.after]);
    const stored = graphOf(decoy).initializer.filter((tensor) => tensor.dataType === 1);
    expect(bytes.before).toBeGreaterThanOrEqual(stored.reduce((sum, tensor) => sum + tensor.rawData.byteLength, 0));
    expect(parameters.before).toBe(bytes.before / 4);
  });

  it('names the calibration input that does not fit', async () => {
    const model = await fixtureModel(name);
    await expect(swap(model, { runtime, calibration: [{ nonsense: [1] }] })).rejects.toThrow(
      /calibration input 1: the model has no input "nonsense"/,
    );
    await expect(swap(model, { runtime, calibration: [] })).rejects.toThrow(/there is no input in it/);
  });

  it('says that inputs are too few for a fit to carry over, where anything is fitted', async () => {
    const model = await fixtureModel(name);
    const inputs = inputsOf(name);
    const few = (await swapping(name, model, { groups: 1 })).report;
    const { tokens } = few.calibration;
    const { query } = few.swapped[0]?.site.dims ?? { query: Number.NaN };
    expect(few.notices.join('\n')).toContain(
      `the calibration inputs have ${tokens} positions, few for a block ${query} wide`,
    );
    const times = Math.ceil((3 * query) / tokens);
    const calibration = Array.from({ length: times }, () => inputs).flat();
    for (const options of [{ groups: 1, calibration }, { groups: 'heads' }] as const) {
      expect((await swapping(name, model, options)).report.notices.join('\n')).not.toMatch(/positions, few for/);
    }
  });

  it('says that made-up inputs were made up', async () => {
    const { report } = await swap(await fixtureModel(name), { runtime, groups: 'heads' });
    expect(report.calibration.kind).toBe('synthetic');
    expect(report.notices.join('\n')).toMatch(/made up: input_ids/);
  });

  it('tries shorter made-up inputs where the model does not run on long ones', async () => {
    const fails = (dims: readonly number[]) => dims[1] !== undefined && dims[1] > 8;
    const { report } = await swap(await fixtureModel(name), { runtime: failingRuntime(fails), groups: 'heads' });
    expect(report.swapped).toHaveLength(2);
    expect(report.notices.join('\n')).toMatch(/made-up inputs of length 32, 16 did not run: .*too long for this test/);
    expect(report.notices.join('\n')).toMatch(/made up: input_ids \[1, 8\]/);
    const never = swap(await fixtureModel(name), { runtime: failingRuntime(() => true) });
    await expect(never).rejects.toThrow(
      /too long for this test \(made-up inputs of lengths 32, 16, 8, 6, 4 were tried;/,
    );
  });

  it('does not take a failure of its own nodes for one of the inputs', async () => {
    const swapped = swap(await fixtureModel(name), { runtime: failingRuntime((_, text) => text.includes('mhe/0')) });
    // What is said of inputs tried would come behind it.
    await expect(swapped).rejects.toThrow(/too long for this test$/);
  });

  it('counts what it saves as the files show it', async () => {
    const model = await fixtureModel(name);
    const { model: swapped, report } = await swapping(name, model, { groups: 1 });
    const size = (entry: OnnxModel) =>
      graphOf(entry).initializer.reduce(
        (sum, tensor) => sum + (tensor.dataType === 1 ? tensor.rawData.byteLength : 0),
        0,
      );
    // Scalars that stand as Constant nodes are counted too, and are the same in both.
    expect(report.bytes.before - report.bytes.after).toBe(size(model) - size(swapped));
  });

  it('does not grow over twenty swaps', async () => {
    const model = await fixtureModel('bert-eager-dynamo18');
    const once = () => swapping('bert-eager-dynamo18', model, { groups: 1 });
    for (let i = 0; i < 5; i++) await once();
    globalThis.gc?.();
    const before = process.memoryUsage().rss;
    for (let i = 0; i < 20; i++) await once();
    globalThis.gc?.();
    expect(process.memoryUsage().rss - before).toBeLessThan(96 * 2 ** 20);
  });
});
